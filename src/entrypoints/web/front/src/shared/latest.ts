/** Of several questions that are under way, which answers still count. */
export interface Latest {
  /** Says of one question, once, when its answer is there: true unless a later one was answered before it. */
  readonly ask: () => () => boolean;
  /** Whatever was asked so far counts no more. */
  readonly drop: () => void;
}

/** An answer to what was asked earlier is older, however late it comes: it must not replace a newer one. */
export function latest(): Latest {
  let [asked, answered] = [0, 0];
  return {
    ask: () => {
      asked += 1;
      const mine = asked;
      return () => {
        if (mine <= answered) return false;
        answered = mine;
        return true;
      };
    },
    drop: () => {
      answered = asked;
    },
  };
}
