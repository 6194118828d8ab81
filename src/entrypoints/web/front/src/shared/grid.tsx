import type { ComponentChildren } from "preact";
import { useEffect, useReducer, useRef } from "preact/hooks";
import { useWindow } from "./windowed";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly width: string;
  readonly end?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface Props<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly onOpen: (row: Row) => void;
  readonly onEnd: () => void;
  readonly chosen?: string;
}

const ROW = 36;
const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, j: 1, k: -1 };

/** A table of any length: only the rows in view are in the document; arrows move, Enter opens, the end asks for more. */
export function Grid<Row extends { readonly id: string }>({ label, columns, rows, onOpen, onEnd, chosen }: Props<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const at = useRef(0);
  const [, redraw] = useReducer((n: number, _: void) => n + 1, 0);
  const shown = useWindow(box, rows.length, ROW);
  useEffect(() => {
    if (shown.to >= rows.length - 8) onEnd();
  }, [shown.to, rows.length]);
  const gridTemplateColumns = columns.map((one) => one.width).join(" ");
  const keys = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step) {
      at.current = Math.max(0, Math.min(rows.length - 1, at.current + step));
      shown.show(at.current);
      redraw();
      event.preventDefault();
    }
    const row = rows[at.current];
    if (event.key === "Enter" && row) {
      event.preventDefault(); // the drawer is there at once: the same key would press what has its focus
      onOpen(row);
    }
  };
  return (
    <div class="grid" role="grid" aria-label={label} aria-rowcount={-1} tabIndex={0} ref={box} onKeyDown={keys}>
      <div role="rowgroup" class="grid-head">
        <div role="row" class="cells" style={{ gridTemplateColumns }}>{columns.map((one) => <div key={one.key} role="columnheader" class={one.end ? "end" : ""}>{one.title}</div>)}</div>
      </div>
      <div role="rowgroup" class="grid-body" style={{ height: `${rows.length * ROW}px` }}>
        {rows.slice(shown.from, shown.to).map((row, i) => {
          const index = shown.from + i;
          const open = (): void => {
            at.current = index;
            onOpen(row);
          };
          return (
            <div key={row.id} role="row" aria-rowindex={index + 2} aria-selected={index === at.current} class={row.id === chosen ? "cells row chosen" : "cells row"} style={{ gridTemplateColumns, transform: `translateY(${index * ROW}px)` }} onClick={open}>
              {columns.map((one) => <div key={one.key} role="gridcell" class={one.end ? "end" : ""}>{one.cell(row)}</div>)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
