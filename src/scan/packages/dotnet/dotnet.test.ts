// .NET dependency and lock files: what counts as a package, and hostile input.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../../testing.ts';
import { dotnetDeps } from './deps-file.ts';
import { lockFiles } from '../lock-files.ts';

const TARGET = '.NETCoreApp,Version=v8.0/linux-x64';
const PACK = 'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.0';
const DEPS = {
  runtimeTarget: { name: TARGET, signature: '' },
  targets: {
    [TARGET]: {
      'App/1.0.0': { dependencies: { 'Newtonsoft.Json': '12.0.1' }, runtime: { 'App.dll': {} } },
      'Newtonsoft.Json/12.0.1': { runtime: { 'lib/netstandard2.0/Newtonsoft.Json.dll': {} } },
      'System.Text.Encodings.Web/4.5.0': { dependencies: {} },
      [PACK]: { runtime: { 'System.Private.CoreLib.dll': {} }, native: { 'libclrjit.so': {} } },
    },
  },
  libraries: {
    'App/1.0.0': { type: 'project', serviceable: false, sha512: '' },
    'Newtonsoft.Json/12.0.1': { type: 'package', serviceable: true, sha512: 'sha512-x' },
    'System.Text.Encodings.Web/4.5.0': { type: 'package' },
    'Unlisted/2.0.0': { type: 'package' },
    [PACK]: { type: 'runtimepack' },
    'Some.Reference/1.0': { type: 'referenceassembly' },
  },
};

function read(path: string, content: unknown) {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const cataloger = [dotnetDeps, ...lockFiles].find((one) => one.matches(path));
  const found = catalogFile(cataloger ?? dotnetDeps, path, text);
  return { packages: found.packages.map((item) => [item.name, item.version]), problems: found.problems };
}

describe('deps.json', () => {
  it('lists packages and runtime packs that are there, not projects and replaced packages', () => {
    expect(read('app/App.deps.json', DEPS)).toEqual({
      packages: [
        ['Newtonsoft.Json', '12.0.1'],
        ['Unlisted', '2.0.0'],
        ['Microsoft.NETCore.App.Runtime.linux-x64', '8.0.0'],
      ],
      problems: [],
    });
  });

  it('says what it could not read', () => {
    expect(read('a.deps.json', '{').problems).toEqual(['not JSON']);
    expect(read('a.deps.json', '[]').problems).toEqual(['not a JSON object']);
    expect(read('a.deps.json', {}).problems).toEqual(['no libraries in the dependency file']);
    const nameless = { libraries: { nothing: { type: 'package' }, '/1': { type: 'package' } } };
    expect(read('a.deps.json', nameless).problems).toEqual(['2 entries have no usable name and version']);
  });
});

describe('lock files', () => {
  it('reads packages.lock.json without projects', () => {
    const direct = { type: 'Direct', requested: '[12.0.3, )', resolved: '12.0.3' };
    const frameworks = {
      'net6.0': { 'Newtonsoft.Json': direct, Library: { type: 'Project' } },
      'net8.0': { 'Newtonsoft.Json': direct, 'System.Memory': { type: 'Transitive', resolved: '4.5.4' } },
    };
    expect(read('src/packages.lock.json', { version: 1, dependencies: frameworks }).packages).toEqual([
      ['Newtonsoft.Json', '12.0.3'],
      ['System.Memory', '4.5.4'],
    ]);
  });

  it('reads packages.config without development packages and comments', () => {
    const text = `<?xml version="1.0"?><packages>
      <package id="jQuery" version="3.1.1" targetFramework="net46" />
      <package id='Tool' version='1.0' developmentDependency='true' />
      <!-- <package id="Gone" version="1.0" /> -->
      <package version="1.0" />
    </packages>`;
    expect(read('packages.config', text)).toEqual({
      packages: [['jQuery', '3.1.1']],
      problems: ['1 entries have no usable name and version'],
    });
  });
});

describe('hostile input', () => {
  it('never throws, whatever the JSON or text', () => {
    const types = fc.constantFrom('package', 'runtimepack', 'project', 1, null);
    const libraries = fc.dictionary(fc.string(), fc.oneof(fc.record({ type: types }), fc.jsonValue()));
    const deps = fc.record({ libraries, targets: fc.dictionary(fc.string(), fc.jsonValue()) });
    fc.assert(
      fc.property(fc.oneof(deps, fc.jsonValue()), fc.string(), (value, text) => {
        read('a.deps.json', value);
        read('packages.lock.json', { dependencies: value });
        read('a.deps.json', text);
        read('packages.config', `<package ${text}`);
      }),
    );
  });

  it('stays quick on long unfinished markup', () => {
    const started = performance.now();
    read('packages.config', '<!-- '.repeat(20_000));
    read('packages.config', '<package '.repeat(20_000));
    read('packages.config', `<package ${'a= '.repeat(20_000)}>`);
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});
