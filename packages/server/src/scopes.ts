/** What a credential may allow. */

/** Each is for itself: none holds another. */
export const scopes = ["read", "append", "invalidate", "admin"] as const;
export type Scope = (typeof scopes)[number];

export function isScope(value: unknown): value is Scope {
  return scopes.some((scope) => scope === value);
}
