import { computed, signal } from "@preact/signals";

const pending = signal(0);

/** Whether something that the page will show is on its way. A page says so by `aria-busy`. */
export const loading = computed(() => pending.value > 0);

const frame = (): Promise<void> =>
  new Promise((resolve) => {
    const late = setTimeout(resolve, 100); // a window that nobody sees has no frames
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(resolve);
    });
  });

/** The page is loading until this has ended and what it brought is drawn: whatever that asks for follows within two frames. */
export async function whileLoading<T>(work: Promise<T>): Promise<T> {
  pending.value += 1;
  try {
    return await work;
  } finally {
    void frame().then(frame).then(() => {
      pending.value -= 1;
    });
  }
}
