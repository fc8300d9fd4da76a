// Java archives: coordinates, shading, nesting, names, and hostile zips.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../../testing.ts';
import { java } from './cataloger.ts';
import { parseFileName } from './file-name.ts';
import { parseManifest, parsePomProperties } from './manifest.ts';
import { pom, zipOf, type ZipFile } from './testing.ts';

const LOG4J = zipOf([pom('org.apache.logging.log4j', 'log4j-core', '2.14.1')]);

function read(files: readonly ZipFile[] | Buffer, path = 'app/app.jar') {
  const found = catalogFile(java, path, Buffer.isBuffer(files) ? files : zipOf(files));
  return {
    packages: found.packages.map(({ name, version, detail }) => [name, version, detail?.['inside'] ?? '']),
    problems: found.problems,
    paths: new Set(found.packages.map((item) => item.path)),
  };
}

function manifest(...lines: string[]): ZipFile {
  return { name: 'META-INF/MANIFEST.MF', content: ['Manifest-Version: 1.0', ...lines, '', ''].join('\r\n') };
}

describe('java', () => {
  it('reads the coordinates of pom.properties, of a shaded archive all of them', () => {
    const files = [pom('com.example', 'app', '1.0'), pom('com.google.guava', 'guava', '30.1-jre')];
    expect(read(files).packages).toEqual([
      ['com.example:app', '1.0', ''],
      ['com.google.guava:guava', '30.1-jre', ''],
    ]);
  });

  it('opens archives inside, stored or deflated, with the outer file as evidence', () => {
    const boot = zipOf([
      pom('com.example', 'boot', '1.0'),
      { name: 'BOOT-INF/lib/log4j-core-2.14.1.jar', content: LOG4J, stored: true },
    ]);
    const war = [
      { name: 'WEB-INF/lib/log4j-core-2.14.1.jar', content: LOG4J },
      { name: 'lib/boot.jar', content: boot },
    ];
    const found = read(war, 'srv/app.war');
    expect(found.packages).toEqual([
      ['org.apache.logging.log4j:log4j-core', '2.14.1', 'WEB-INF/lib/log4j-core-2.14.1.jar'],
      ['com.example:boot', '1.0', 'lib/boot.jar'],
      ['org.apache.logging.log4j:log4j-core', '2.14.1', 'lib/boot.jar!/BOOT-INF/lib/log4j-core-2.14.1.jar'],
    ]);
    expect([...found.paths]).toEqual(['srv/app.war']);
  });

  it('reads executable jars that start with a script', () => {
    const script = Buffer.from('#!/bin/sh\nexec java -jar "$0" "$@"\n');
    expect(read(zipOf([pom('com.example', 'app', '1.0')], script)).packages).toHaveLength(1);
  });

  it('reads a large archive from a temporary file', () => {
    const filler = { name: 'data.bin', content: Buffer.alloc(33 * 1024 * 1024), stored: true };
    const files = [filler, { name: 'lib/log4j-core-2.14.1.jar', content: LOG4J, stored: true }];
    expect(read(files).packages).toEqual([
      ['org.apache.logging.log4j:log4j-core', '2.14.1', 'lib/log4j-core-2.14.1.jar'],
    ]);
  });

  it.each([
    [
      'the vendor id as group',
      'lib/thing-1.2.jar',
      ['Implementation-Vendor-Id: com.example', 'Implementation-Version: 1.2'],
      ['com.example:thing', '1.2'],
    ],
    [
      'a bundle name that ends with the artifact',
      'lib/jackson-core-2.9.8.jar',
      ['Bundle-SymbolicName: com.fasterxml.jackson.core.jackson-core;singleton:=true'],
      ['com.fasterxml.jackson.core:jackson-core', '2.9.8'],
    ],
    [
      'no group where nothing says it',
      'lib/secret-sauce-3.jar',
      ['Bundle-SymbolicName: org.other'],
      ['secret-sauce', '3'],
    ],
    [
      'a version from the manifest only',
      'lib/tool.jar',
      ['Implementation-Version: 7.1', 'Implementation-Vendor-Id: a.b'],
      ['a.b:tool', '7.1'],
    ],
  ])('takes %s', (_what, path, lines, expected) => {
    expect(read([manifest(...lines)], path).packages).toEqual([[...expected, '']]);
  });

  it('knows the group of artifacts built without coordinates, when name and classes agree', () => {
    const classes = { name: 'org/springframework/beans/BeanUtils.class', content: '' };
    const path = 'lib/spring-beans-5.3.17.jar';
    expect(read([classes], path).packages).toEqual([['org.springframework:spring-beans', '5.3.17', '']]);
    expect(read([{ name: 'com/evil/A.class', content: '' }], path).packages[0]?.[0]).toBe('spring-beans');
  });

  it('takes group and artifact from the place of a pom.xml, the version from the name', () => {
    const place = { name: 'META-INF/maven/com.example/thing/pom.xml', content: '<project/>' };
    expect(read([place], 'lib/thing-1.5.jar').packages).toEqual([['com.example:thing', '1.5', '']]);
  });

  it('says what it could not read', () => {
    const placeholder = pom('com.example', 'app', '${project.version}');
    expect(read([placeholder]).problems).toEqual(['1 pom.properties without usable coordinates']);
    const damaged = { name: 'lib/x.jar', content: 'PK no archive' };
    expect(read([damaged]).problems).toEqual(['lib/x.jar: no end of a zip archive']);
    const secret = { name: 'lib/x.jar', content: LOG4J, encrypted: true };
    expect(read([secret]).problems).toEqual(['lib/x.jar: encrypted']);
    expect(read(Buffer.from('not a zip at all'))).toEqual({ packages: [], problems: [], paths: new Set() });
  });
});

describe('hostile archives', () => {
  it('stops at five levels of nesting', () => {
    let archive = LOG4J;
    for (let level = 0; level < 8; level++) archive = zipOf([{ name: 'a.jar', content: archive }]);
    expect(read(archive)).toMatchObject({ packages: [], problems: ['archives nested more than 5 deep'] });
  });

  it('does not inflate what is out of proportion or larger than it says', () => {
    const bomb = { name: 'lib/bomb.jar', content: Buffer.alloc(32 * 1024 * 1024) };
    expect(read([bomb]).problems).toEqual(['lib/bomb.jar: inflates to more than 200 times its size']);
    const liar = { name: 'lib/liar.jar', content: Buffer.alloc(1_000_000), claimedSize: 100 };
    expect(read([liar]).problems[0]).toMatch(/^lib\/liar\.jar: /);
  });

  it('stops at a total of bytes looked at, whatever the members overlap or claim', () => {
    const content = Buffer.concat([randomBytes(400_000), Buffer.alloc(70_000_000)]);
    const liar = { name: 'x.jar', content, claimedSize: 60_000_000, listed: 60_000 };
    const { problems } = read([liar]);
    expect(problems.at(-1)).toBe(`more than ${512 * 1024 * 1024} bytes inside; the rest was left out`);
    expect(problems.length).toBeLessThan(20);
  });

  it('never throws and ends quickly, whatever the bytes', () => {
    const good = zipOf([pom('g', 'a', '1'), { name: 'b.jar', content: LOG4J }, manifest('A: b')]);
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(good.length), (changes, cut) => {
        const bytes = Buffer.from(good);
        for (const { at, byte } of changes) bytes[at] = byte;
        for (const candidate of [bytes, bytes.subarray(cut), bytes.subarray(0, cut)]) read(candidate);
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void read(Buffer.from(bytes))));
  });
});

describe('names and metadata', () => {
  it.each([
    ['log4j-core-2.14.1.jar', 'log4j-core', '2.14.1'],
    ['log4j-1.2-api-2.14.1.jar', 'log4j-1.2-api', '2.14.1'],
    ['guava-30.1-jre.jar', 'guava', '30.1-jre'],
    ['thing-1.0-20210101.123456-1.jar', 'thing', '1.0-20210101.123456-1'],
    ['kafka_2.12-2.4.0.jar', 'kafka_2.12', '2.4.0'],
    ['spring-core-4.3.0.RELEASE.jar', 'spring-core', '4.3.0.RELEASE'],
    ['tool-1.0-beta2.war', 'tool', '1.0-beta2'],
    ['app.jar', 'app', null],
    ['-1.jar', '-1', null],
  ])('%s', (name, artifact, version) => {
    expect(parseFileName(name)).toEqual({ artifact, version });
  });

  it('joins continued manifest lines and stops at the first section', () => {
    const text = 'A: one\r\n two\r\nB : x\r\n\r\nName: part\r\nC: y\r\n';
    expect([...parseManifest(text)]).toEqual([
      ['a', 'onetwo'],
      ['b', 'x'],
    ]);
  });

  it('takes any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseManifest(text);
        parsePomProperties(text);
        expect(typeof parseFileName(text).artifact).toBe('string');
      }),
    );
  });
});
