// Programs by their bytes: real forms of version strings, chunk borders, decoys, and the version files.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogFile } from '../../testing.ts';
import { program, programText } from './cataloger.ts';

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

function executable(text: string, padding = 3_000): Buffer {
  const filler = Buffer.alloc(padding, 'x\0');
  return Buffer.concat([ELF, filler, Buffer.from(text, 'latin1'), filler]);
}

function find(path: string, bytes: Buffer, chunk?: number): string[] {
  return catalogFile(program, path, bytes, chunk).packages.map((item) => `${item.name} ${item.version}`);
}

/** Version strings as the programs hold them. */
const FORMS = [
  ['usr/local/bin/node', '/json\0node.js/v20.11.1\0(0) == (x)', 'node 20.11.1'],
  ['usr/sbin/nginx', '\0nginx version: nginx/1.22.1\n\0', 'nginx 1.22.1'],
  ['usr/local/openresty/nginx/sbin/nginx', '\0nginx version: openresty/1.25.3.1\n', 'openresty 1.25.3.1'],
  ['usr/bin/redis-server', '\x007.0.0\0A7.0.151790282056000000000\0', 'redis 7.0.15'],
  ['usr/local/bin/redis-server', '\x007.2.4buildkitsandbox-1704830942000000000000000000\0', 'redis 7.2.4'],
  ['usr/lib/libcrypto.so.3', '\0OpenSSL 3.0.11 19 Sep 2023\0', 'openssl 3.0.11'],
  ['usr/lib/libcrypto.so.1.1', '\0OpenSSL 1.1.1w  11 Sep 2023\0', 'openssl 1.1.1w'],
  ['usr/bin/python3.11', '\x003.11\0x\x003.11.2\0strict', 'python 3.11.2'],
  ['usr/lib/libpython3.13.so.1.0', '\x003.13.0rc2\0', 'python 3.13.0rc2'],
  ['usr/sbin/haproxy', '\0 version 2.6.12-1+deb12u4, released 2023/12/16', 'haproxy 2.6.12'],
  ['usr/sbin/mariadbd', '-0+deb12u1\x0010.11.19-MariaDB\0', 'mariadb 10.11.19'],
  ['usr/lib/postgresql/15/bin/postgres', '\0postgres (PostgreSQL) 15.18 (Debian', 'postgresql 15.18'],
  ['bin/busybox', '\0BusyBox v1.36.1 (2023-05-18)', 'busybox 1.36.1'],
  ['usr/sbin/apache2', '\0Apache/2.4\0Apache/2.4.57 (Debian)\0', 'apache-httpd 2.4.57'],
  ['usr/local/sbin/php-fpm', '\0X-Powered-By: PHP/8.2.13\0', 'php 8.2.13'],
  ['usr/lib/libruby-3.1.so.3.1.2', '\0ruby 3.1.2p20 (2022-04-12 revision', 'ruby 3.1.2'],
  ['bin/bash', '@(#)Bash version 5.2.15(1) release GNU\0', 'bash 5.2.15'],
  ['usr/bin/memcached', '\0memcached 1.6.18\0', 'memcached 1.6.18'],
  ['usr/lib/libz.so.1', ' deflate 1.2.13 Copyright 1995-2022', 'zlib 1.2.13'],
] as const;

describe('programs by their bytes', () => {
  it.each(FORMS)('%s', (path, text, expected) => {
    expect(find(path, executable(text))).toEqual([expected]);
  });

  it('finds the version wherever chunks are cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FORMS), fc.integer({ min: 1, max: 700 }), (form, chunk) => {
        const [path, text, expected] = form;
        expect(find(path, executable(text, 700), chunk)).toEqual([expected]);
      }),
      { numRuns: 60 },
    );
  });

  it('looks at executables of known names only, and tells each once', () => {
    const text = '\0node.js/v20.11.1\0node.js/v18.0.0\0';
    expect(find('usr/bin/node', executable(text))).toEqual(['node 20.11.1']);
    expect(find('usr/bin/node', Buffer.from(`#!/bin/sh ${text}`))).toEqual([]);
    expect(program.matches('usr/bin/node-gyp')).toBe(false);
    expect(program.matches('usr/bin/other')).toBe(false);
    expect(find('usr/bin/node', executable('node.js/v%d.%d'))).toEqual([]);
  });

  it('takes any bytes, and stays quick where a pattern begins everywhere', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FORMS),
        fc.uint8Array({ maxLength: 500 }),
        fc.nat(400),
        ([path, text], noise, chunk) => {
          const bytes = Buffer.concat([
            ELF,
            Buffer.from(noise),
            Buffer.from(text.slice(0, 12)),
            Buffer.from(noise),
          ]);
          for (const found of find(path, bytes, chunk + 1)) expect(found).toMatch(/^[\w-]+ \d\S*$/);
        },
      ),
    );
    const started = performance.now();
    find('usr/bin/redis-server', executable('00000000\0'.repeat(500_000)));
    find('usr/bin/python3.11', executable('\x003.11.'.repeat(500_000)));
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

describe('version files', () => {
  const read = (path: string, text: string) =>
    catalogFile(programText, path, text).packages.map((item) => `${item.name} ${item.version}`);

  it('reads those of Java, Go and Erlang', () => {
    const release = 'IMPLEMENTOR="Debian"\nJAVA_VERSION="17.0.15"\n';
    expect(read('usr/lib/jvm/java-17-openjdk-amd64/release', release)).toEqual(['java 17.0.15']);
    expect(read('opt/java/openjdk/release', 'JAVA_VERSION="1.8.0_392"\n')).toEqual(['java 1.8.0_392']);
    expect(read('usr/local/go/VERSION', 'go1.21.5\ntime 2023-11-29T21:21:46Z\n')).toEqual(['go 1.21.5']);
    expect(read('usr/lib/erlang/releases/25/OTP_VERSION', '25.2.3\n')).toEqual(['erlang 25.2.3']);
  });

  it('takes no other file of that name', () => {
    expect(read('srv/app/release', 'JAVA_VERSION="17"\n')).toEqual([]);
    expect(read('opt/tool/release', 'v1.2.3\n')).toEqual([]);
    expect(read('usr/local/gopher/VERSION', '1.2.3\n')).toEqual([]);
  });
});
