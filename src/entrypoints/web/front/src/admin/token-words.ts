const SCOPES: Readonly<Record<string, string>> = { all: "everything", read: "reads everything but secrets", usage: "reads usage and cost" };

/** What a scope of an admin token allows. */
export const scopeInWords = (scope: string): string => (Object.hasOwn(SCOPES, scope) ? SCOPES[scope]! : scope.startsWith("tenant:") ? `administers ${scope.slice("tenant:".length)}` : scope);

/** The moment at which a day has ended, in UTC. */
export const endOfDay = (day: string): string => new Date(Date.parse(`${day}T00:00Z`) + 86_400_000).toISOString();
