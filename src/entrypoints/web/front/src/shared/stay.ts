import { useEffect, useRef } from "preact/hooks";
import { setParams } from "./address";

/** Changes the address after an answer, unless whoever asked has left: closed the drawer, or gone to another page. */
export function useStay(): typeof setParams {
  const left = useRef(false);
  useEffect(() => () => {
    left.current = true;
  }, []);
  return (changes) => {
    if (!left.current) setParams(changes);
  };
}
