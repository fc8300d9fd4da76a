// Every structural check by the name that rules call it.
import type { SecretValidator } from '../types.ts';
import { hasBase62Checksum, isAwsKeyId, isPypiMacaroon } from './checksums.ts';
import {
  isAlphanumericMix,
  isAwsSecret,
  isBase64Of32,
  isBase64Of64,
  isMixed,
  isMixedHex,
  isRealPassword,
} from './clouds.ts';
import { isBasicCredential, isPlainPrivateKey, isServiceAccount, isSignedJwt } from './documents.ts';

/** A validator, and whether passing it proves the structure of a real secret (or is only a filter). */
export interface NamedValidator {
  readonly validate: SecretValidator;
  readonly proves: boolean;
}

const proof = (validate: SecretValidator): NamedValidator => ({ validate, proves: true });
const filter = (validate: SecretValidator): NamedValidator => ({ validate, proves: false });

export const validators: Readonly<Record<string, NamedValidator>> = {
  base62Checksum: proof(hasBase62Checksum),
  awsKeyId: proof(isAwsKeyId),
  pypi: proof(isPypiMacaroon),
  jwt: proof(isSignedJwt),
  privateKey: proof(isPlainPrivateKey),
  serviceAccount: proof(isServiceAccount),
  base64Of64: proof(isBase64Of64),
  base64Of32: proof(isBase64Of32),
  basicCredential: proof(isBasicCredential),
  awsSecret: filter(isAwsSecret),
  password: filter(isRealPassword),
  mixed: filter(isMixed),
  hex: filter(isMixedHex),
  alphanumeric: filter(isAlphanumericMix),
};
