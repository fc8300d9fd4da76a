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
  /** Milliseconds since the epoch after which the access must be proved again. What is derived from it ends with it. */
  readonly expiresAt: number;
  /** Generation of the credential that proved it: tokens die when the credential changes. 0 for system subjects. */
  readonly generation: number;
}

/** A user name with its password, handed out once. */
export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** Signs people and programs in, issues and checks registry tokens. Every check answers from memory (decision 2a). */
export interface Identity {
  /** Makes the administrator's credential if there is none yet; the password is returned this once and never stored. */
  ensureAdministrator(): Promise<Credential | null>;
  /** Gives the administrator a new password (or makes the credential); the old one and its tokens stop working. */
  resetAdministrator(): Promise<Credential>;
  /** Checks a user name and password in constant time. Undefined when they are wrong. */
  checkPassword(username: string, password: string): Promise<Access | undefined>;
  /**
   * Checks the value of an `Authorization` header, Basic or Bearer. Undefined when it proves nothing. Basic with the
   * user name `00000000-0000-0000-0000-000000000000` takes a refresh or access token as password, as ACR does.
   * @throws IDENTITY_STORE_UNAVAILABLE when credentials may have changed and the database cannot be asked.
   */
  checkAuthorization(header: string | undefined, service: string): Promise<Access | undefined>;
  /**
   * Issues an access token (75 minutes, never longer than `access`) for the intersection of what was asked and what
   * the subject may do. At most {@link MAX_GRANTS} grants; the rest is dropped, which is a smaller grant, not an error.
   */
  issueToken(access: Access, service: string, requested: readonly AccessGrant[]): Promise<IssuedToken>;
  /** Issues a refresh token (`identitytoken` of Docker's configuration), 3 hours and never longer than `access`. */
  issueRefreshToken(access: Access, service: string): Promise<string>;
  /** Undefined also for a refresh token in its last minute, so that a token issued for it lives at least 60 seconds. */
  checkRefreshToken(token: string, service: string): Promise<Access | undefined>;
  /**
   * A short-lived token for this server's own parts, e.g. the scanner's pull. Lifetime at most 3 hours.
   * @throws IDENTITY_SYSTEM_TOKEN_INVALID for a longer lifetime, a name not starting `system:` or too many grants.
   */
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

/** Most grants in one token: a token must fit in a request's headers. */
export const MAX_GRANTS = 20;

/** The user name under which clients log in with a token as the password (ACR's convention). */
export const TOKEN_USERNAME = '00000000-0000-0000-0000-000000000000';
