import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** So many a legend has room for: it is as high with fewer. */
export const MOST_SERIES = 6;

const [HEIGHT, BOTTOM, TOP] = [220, 22, 8];
const PLOT = HEIGHT - TOP - BOTTOM;

/** Round steps for an axis from 0 to at least `most`. */
export function ticks(most: number, about = 4): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough - 1e-12)!;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step);
}

const [GAP, CHARACTER, RIGHT] = [8, 6.7, 14];

/** What the labels of an axis take beside it, in pixels: digits are as wide as each other. */
export const axisWidth = (labels: readonly string[]): number => Math.ceil(GAP + CHARACTER * Math.max(4, ...labels.map((one) => one.length)));

/** A day as "Nov 30". */
export const dayName = (day: string): string => new Date(`${day}T12:00Z`).toLocaleDateString("en", { day: "numeric", month: "short", timeZone: "UTC" });

interface Props {
  readonly label: string;
  readonly days: readonly string[];
  readonly series: readonly Series[];
  readonly show: (value: number) => string;
  readonly href: (day: string) => string;
  /** What a column is called: the day, where nothing else is said. */
  readonly name?: (day: string) => string;
}

/** As high as a chart: while it is on its way, or with what is to be said instead. */
export const NoColumns = ({ children }: { readonly children?: ComponentChildren }) => (
  <div class="chart" aria-hidden={children === undefined}>
    <div class="plot">{children}</div>
    <span class="legend">{Array.from({ length: MOST_SERIES }, (_, s) => <span key={s} />)}</span>
  </div>
);

/** Stacked columns, one a day or an hour, each a link to what it is made of. Colours are CSS, so a theme needs no redraw. */
export function Columns({ label, days, series, show, href, name = dayName }: Props) {
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState(-1);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.round(entry!.contentRect.width)));
    watch.observe(box.current!);
    return () => watch.disconnect();
  }, []);
  const sums = days.map((_, i) => series.reduce((sum, one) => sum + (one.values[i] ?? 0), 0));
  const marks = ticks(Math.max(...sums));
  const top = marks.at(-1)!;
  const y = (value: number): number => TOP + PLOT * (1 - value / top);
  const left = axisWidth(marks.map(show));
  const step = (width - left - RIGHT) / days.length;
  const every = Math.ceil(days.length / Math.max(2, Math.floor(width / 84)));
  const all = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return (
    <figure class="chart" ref={box}>
      <svg width={width} height={HEIGHT} role="group" aria-label={label} onMouseLeave={() => setAt(-1)}>
        {marks.map((mark) => (
          <g key={mark} aria-hidden="true">
            <line class="rule" x1={left} x2={width} y1={y(mark)} y2={y(mark)} />
            <text class="tick" x={left - GAP} y={y(mark) + 4} text-anchor="end">{show(mark)}</text>
          </g>
        ))}
        {width > 0 && days.map((day, i) => (
          <a key={day} href={href(day)} aria-label={`${name(day)}: ${show(sums[i]!)}`} onMouseEnter={() => setAt(i)} onFocus={() => setAt(i)}>
            <rect class="hit" x={left + step * i} y={TOP} width={step} height={PLOT} />
            <Stack values={series.map((one) => one.values[i] ?? 0)} x={left + step * i} step={step} y={y} />
            {i % every === 0 && <text class="tick" x={left + step * (i + 0.5)} y={HEIGHT - 4} text-anchor="middle">{name(day)}</text>}
          </a>
        ))}
      </svg>
      <figcaption>
        <b>{at < 0 ? "Whole period" : name(days[at]!)}: {show(at < 0 ? all(sums) : sums[at]!)}</b>
        <span class="legend">
          {Array.from({ length: MOST_SERIES }, (_, s) => {
            const one = series[s];
            if (!one) return <span key={s} />;
            return <span key={s} title={one.name}><i class={`swatch s${s + 1}`} /><span dir="auto">{one.name}</span> {show(at < 0 ? all(one.values) : (one.values[at] ?? 0))}</span>;
          })}
        </span>
      </figcaption>
    </figure>
  );
}

function Stack({ values, x, step, y }: { readonly values: readonly number[]; readonly x: number; readonly step: number; readonly y: (value: number) => number }) {
  const bar = Math.max(2, Math.min(40, step * 0.72));
  let from = 0;
  return (
    <>
      {values.map((value, s) => {
        const low = y(from);
        from += value;
        return value > 0 && <rect key={s} class={`f${(s % 6) + 1}`} x={x + (step - bar) / 2} width={bar} y={y(from)} height={low - y(from)} />;
      })}
    </>
  );
}
