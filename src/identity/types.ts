// Who is asking and what they may do. Roles and conditions of Azure RBAC follow in a later issue; this is their place.

/** Somebody who has proved who they are. */
export interface Subject {
  /** Stable name, shown in the audit trail: `admin`, `system:scanner`, a token's name. */
  readonly name: string;
  readonly kind: 'administrator' | 'system';
}

/** What may be done to a repository (Distribution token specification, scope actions). */
export type RepositoryAction = 'pull' | 'push' | 'delete';

/** One granted scope: `repository:<name>:pull,push` or `registry:catalog:*`. */
export interface AccessGrant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a verified bearer token or credential allows. */
export interface Access {
  readonly subject: Subject;
  /** Null means everything (an administrator's Basic credential); otherwise exactly the listed grants. */
  readonly grants: readonly AccessGrant[] | null;
  /** Milliseconds since the epoch after which the access must be proved again. */
  readonly expiresAt: number;
}

/** Signs people and programs in, issues and checks registry tokens. Every check answers from memory (decision 2a). */
export interface Identity {
  /** Makes the administrator's credential if there is none yet; the password is returned this once and never stored. */
  ensureAdministrator(): Promise<{ readonly username: string; readonly password: string } | null>;
  /** Checks a user name and password in constant time. Undefined when they are wrong. */
  checkPassword(username: string, password: string): Promise<Access | undefined>;
  /** Checks the value of an `Authorization` header, Basic or Bearer. Undefined when it proves nothing. */
  checkAuthorization(header: string | undefined, service: string): Promise<Access | undefined>;
  /** Issues an access token for the intersection of what was asked and what the subject may do. */
  issueToken(access: Access, service: string, requested: readonly AccessGrant[]): Promise<IssuedToken>;
  /** Issues a refresh token (`identitytoken` of Docker's configuration). */
  issueRefreshToken(access: Access, service: string): Promise<string>;
  checkRefreshToken(token: string, service: string): Promise<Access | undefined>;
  /** A short-lived pull token for this server's own scanner. */
  issueSystemToken(
    name: string,
    grants: readonly AccessGrant[],
    service: string,
    lifetimeSeconds: number,
  ): Promise<string>;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly issuedAt: string;
  readonly grants: readonly AccessGrant[];
}
