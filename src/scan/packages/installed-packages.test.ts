// What Ruby, PHP and conda record of installed packages: gem specifications, installed.json, conda-meta.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../testing.ts';
import { composer } from './composer.ts';
import { conda } from './conda.ts';
import { ruby } from './ruby.ts';

const GEM = 'usr/local/bundle/specifications/rack-2.0.7.gemspec';
const COMPOSER = 'app/vendor/composer/installed.json';
const CONDA = 'opt/conda/conda-meta/openssl-1.1.1w-h7f8727e_0.json';

describe('ruby', () => {
  it.each([
    [GEM, true],
    ['usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec', true],
    ['usr/local/bundle/gems/rack-2.0.7/rack.gemspec', false],
  ])('matches %s: %s', (path, expected) => {
    expect(ruby.matches(path)).toBe(expected);
  });

  it('reads the stub, else the assignments, else the file name', () => {
    const stub = [
      '# -*- encoding: utf-8 -*-',
      '# stub: rack 2.0.7 ruby lib',
      'Gem::Specification.new do |s|',
      '  s.name = "rack".freeze',
      '  s.version = "2.0.7"',
      '  s.licenses = ["MIT".freeze]',
      'end',
    ];
    const expected = { kind: 'gem', name: 'rack', version: '2.0.7', licenses: ['MIT'], path: GEM };
    expect(catalogFile(ruby, GEM, stub.join('\n'))).toMatchObject({ packages: [expected], problems: [] });
    expect(catalogFile(ruby, GEM, stub.toSpliced(1, 1).join('\n')).packages).toEqual([expected]);
    const old = 's.name = %q{rack}\ns.version = Gem::Version.new("2.0.7")\n s.license = \'MIT\'';
    expect(catalogFile(ruby, GEM, old).packages).toEqual([expected]);
    const computed = 's.name = "rack"\ns.version = Rack::VERSION\ns.licenses = ["MIT"]';
    expect(catalogFile(ruby, GEM, computed).packages).toEqual([expected]);
    expect(catalogFile(ruby, GEM.replace('2.0.7', '2.0.7-java'), computed).packages[0]?.version).toBe(
      '2.0.7',
    );
  });

  it('says something of every file, and never throws', () => {
    const piece = fc.constantFrom(
      '# stub: ',
      's.name = "',
      's.version = ',
      '"',
      '\n',
      ' ',
      'a',
      '1',
      '%q{',
      '}',
      '\0',
      '#{x}',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 }))), (parts) => {
        const { packages, problems } = catalogFile(ruby, GEM, parts.join(''));
        expect(packages.length + problems.length).toBe(1);
      }),
    );
  });
});

describe('composer', () => {
  const rows = [{ name: 'symfony/http-kernel', version: 'v4.4.0', license: ['MIT'] }];

  it('reads both forms of installed.json', () => {
    for (const content of [rows, { packages: rows, dev: false }]) {
      expect(catalogFile(composer, COMPOSER, JSON.stringify(content))).toMatchObject({
        packages: [{ kind: 'composer', name: 'symfony/http-kernel', version: 'v4.4.0', licenses: ['MIT'] }],
        problems: [],
      });
    }
    expect(composer.matches('app/public/installed.json')).toBe(false);
  });

  it('says what it cannot use, and never throws', () => {
    expect(catalogFile(composer, COMPOSER, '{}').problems).toEqual(['not a list of packages']);
    expect(catalogFile(composer, COMPOSER, '[').problems).toEqual(['not JSON']);
    fc.assert(fc.property(fc.json(), (text) => void catalogFile(composer, COMPOSER, text)));
  });
});

describe('conda', () => {
  it('reads name, version, build and licence', () => {
    const text = '{"name":"openssl","version":"1.1.1w","build":"h7f8727e_0","license":"OpenSSL","files":[]}';
    expect(catalogFile(conda, CONDA, text).packages).toEqual([
      {
        kind: 'conda',
        name: 'openssl',
        version: '1.1.1w',
        licenses: ['OpenSSL'],
        detail: { build: 'h7f8727e_0' },
        path: CONDA,
      },
    ]);
    expect(conda.matches('opt/conda/conda-meta/history')).toBe(false);
  });

  it('says something of every file, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const { packages, problems } = catalogFile(conda, CONDA, text);
        expect(packages.length + problems.length).toBe(1);
      }),
    );
  });
});
