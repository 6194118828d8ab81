import { useLayoutEffect, useRef } from "preact/hooks";

/** A dialog that is open from the moment it is drawn, so that it takes the next key, until it is closed: then `close` is called, once. */
export function useModal(close: () => void) {
  const box = useRef<HTMLDialogElement>(null);
  const left = useRef(false);
  useLayoutEffect(() => {
    const dialog = box.current!;
    dialog.showModal();
    return () => {
      left.current = true;
      dialog.close(); // gives the focus back to whoever had it
    };
  }, []);
  const leave = (): void => {
    if (left.current) return; // the browser tells of it later, when another dialog may be open
    left.current = true;
    close();
  };
  const onCancel = (event: Event): void => {
    if (event.target !== event.currentTarget) return; // of a field in it
    event.preventDefault();
    leave();
  };
  return { leave, dialog: { ref: box, onCancel, onClose: leave } };
}
