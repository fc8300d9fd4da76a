// Error catalogues: texts are filled in, causes are kept, codes are recognised.
import { describe, expect, it } from 'vitest';
import {
  BreakwaterError,
  defineErrors,
  describeError,
  loadedErrorCatalogues,
  systemErrorCode,
} from './errors.ts';

describe('defineErrors', () => {
  const catalogue = defineErrors('sample', {
    SAMPLE_GONE: { status: 410, message: '{what} is gone', hint: 'Look for {what} elsewhere.', exit: 3 },
  });

  it('fills in parameters and keeps code, status, hint, exit code and cause', () => {
    const cause = new Error('disk');
    const error = catalogue.create('SAMPLE_GONE', { what: 'the blob' }, cause);
    expect(error).toBeInstanceOf(BreakwaterError);
    expect(error).toMatchObject({
      code: 'SAMPLE_GONE',
      status: 410,
      exit: 3,
      message: 'the blob is gone',
      hint: 'Look for the blob elsewhere.',
      cause,
    });
  });

  it('recognises its own errors and no others', () => {
    const error = catalogue.create('SAMPLE_GONE');
    expect(catalogue.is(error)).toBe(true);
    expect(catalogue.is(error, 'SAMPLE_GONE')).toBe(true);
    expect(catalogue.is(new Error('x'))).toBe(false);
    expect(catalogue.is(undefined)).toBe(false);
  });

  it('is listed for the documentation', () => {
    expect(loadedErrorCatalogues().get('sample')).toBe(catalogue.definitions);
    // The catalogue of this test is not part of the product.
    (loadedErrorCatalogues() as Map<string, unknown>).delete('sample');
  });
});

describe('describeError and systemErrorCode', () => {
  it('describes anything', () => {
    expect(describeError(new Error('a'))).toBe('a');
    expect(describeError('b')).toBe('b');
    expect(describeError(null)).toBe('unknown error');
  });

  it('finds a system code through causes', () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
    expect(systemErrorCode(new Error('outer', { cause: full }))).toBe('ENOSPC');
    expect(systemErrorCode(new Error('plain'))).toBeUndefined();
  });
});
