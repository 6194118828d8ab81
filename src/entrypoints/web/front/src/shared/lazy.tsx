import type { ComponentType, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { whileLoading } from "./settled";

/** A page of which nothing is known but its name. */
export const Head = ({ title }: { readonly title: string }) => <div class="head"><h1>{title}</h1></div>;

/** A page in a module of its own. `fetchModule` may be called before it is shown: nobody waits for it then. */
export interface LazyPage extends FunctionComponent<{ readonly title: string }> {
  readonly fetchModule: () => void;
}

/** A page whose module is fetched when it is first shown, if not before; its title stands there at once. */
export function lazy(load: () => Promise<{ default: ComponentType }>): LazyPage {
  let loaded: ComponentType | undefined;
  let coming: Promise<void> | undefined;
  const fetched = (): Promise<void> => {
    coming ??= whileLoading(load()).then(
      (module) => {
        loaded = module.default;
      },
      (error: Error) => {
        coming = undefined; // whoever comes again asks again
        throw error;
      },
    );
    return coming;
  };
  const Lazy = ({ title }: { readonly title: string }) => {
    const [failed, setFailed] = useState("");
    const [, redraw] = useState(false);
    const Page = loaded;
    useEffect(() => {
      // Not `loaded`: it may have come between what was drawn and this.
      if (!Page) fetched().then(() => redraw(true), (error: Error) => setFailed(error.message));
    }, []);
    if (Page) return <Page />;
    return failed ? (
      <p class="fault" role="alert">
        This page could not be loaded: {failed}. The gateway may have been updated; reload to get its pages.
      </p>
    ) : (
      <Head title={title} />
    );
  };
  return Object.assign(Lazy, { fetchModule: () => void fetched().catch(() => undefined) }); // said where it is shown
}
