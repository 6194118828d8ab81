export interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor?: string | null;
}

/** The rows of pages, each once, as the earliest page that has it says: the first page may have been asked for again. */
export function joined<T>(pages: readonly Page<T>[], of: (one: T) => string): readonly T[] {
  const found = new Map<string, T>();
  for (const one of pages.flatMap((page) => page.data)) if (!found.has(of(one))) found.set(of(one), one);
  return [...found.values()];
}
