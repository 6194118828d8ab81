/** What the settings file declares is changed there alone. */
export interface Owned {
  readonly owner?: string;
}

export const ofFile = (one: Owned): boolean => one.owner === "file";

/** In the place of its forms. */
export const ChangedThere = () => <p class="quiet">The settings file declares it, so it is changed there.</p>;
