import type { RefObject } from "preact";
import { useEffect, useReducer } from "preact/hooks";

export interface Window {
  readonly from: number;
  readonly to: number;
  readonly show: (index: number) => void;
}

/** Which rows of a list of equal heights are in view, and a few around them. */
export function useWindow(box: RefObject<HTMLElement | null>, count: number, height: number, around = 12): Window {
  const [, redraw] = useReducer((n: number, _: void) => n + 1, 0);
  useEffect(() => {
    const element = box.current!;
    let frame = 0;
    const later = (): void => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        redraw();
      });
    };
    element.addEventListener("scroll", later, { passive: true });
    const watch = new ResizeObserver(later);
    watch.observe(element);
    return () => {
      element.removeEventListener("scroll", later);
      watch.disconnect();
      cancelAnimationFrame(frame);
    };
  }, []);
  const top = box.current?.scrollTop ?? 0;
  const view = box.current?.clientHeight ?? 640;
  const show = (index: number): void => {
    const element = box.current!;
    const at = index * height;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + 2 * height > element.scrollTop + element.clientHeight) element.scrollTop = at + 2 * height - element.clientHeight;
  };
  return { from: Math.max(0, Math.floor(top / height) - around), to: Math.min(count, Math.ceil((top + view) / height) + around), show };
}
