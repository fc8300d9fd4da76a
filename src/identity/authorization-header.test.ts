// Tests of the `Authorization` header reader.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_AUTHORIZATION_CHARACTERS, parseAuthorization } from './authorization-header.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('parseAuthorization', () => {
  it('reads Basic, with colons and any Unicode in the password', () => {
    expect(parseAuthorization(basic('admin:pä:ss'))).toEqual({
      scheme: 'basic',
      username: 'admin',
      password: 'pä:ss',
    });
    expect(parseAuthorization(basic('admin:').replace('Basic', 'bAsIc'))).toMatchObject({ password: '' });
  });

  it('reads Bearer', () => {
    expect(parseAuthorization('bearer a.b.c')).toEqual({ scheme: 'bearer', token: 'a.b.c' });
  });

  it.each([
    '',
    'Basic',
    'Basic ',
    'Bearer',
    'Bearer a b',
    'Basic %%%',
    'Basic a.b',
    basic('no colon'),
    'Digest abc',
    'Bearer a\u0000b',
    'Bearer ä',
    `Bearer ${'a'.repeat(MAX_AUTHORIZATION_CHARACTERS)}`,
  ])('takes nothing from %j', (value) => {
    expect(parseAuthorization(value)).toBeUndefined();
  });

  it('reads back any user name without a colon and any password', () => {
    const name = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !text.includes(':'));
    fc.assert(
      fc.property(name, fc.string({ unit: 'binary', maxLength: 40 }), (username, password) => {
        expect(parseAuthorization(basic(`${username}:${password}`))).toEqual({
          scheme: 'basic',
          username: Buffer.from(username).toString(),
          password: Buffer.from(password).toString(),
        });
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseAuthorization(text);
        parseAuthorization(`Basic ${text}`);
        parseAuthorization(`Bearer ${text}`);
      }),
    );
  });
});
