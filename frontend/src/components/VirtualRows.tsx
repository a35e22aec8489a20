import { type ReactNode, useLayoutEffect, useRef, useState } from "react";

/** Rows beyond the edge that are drawn as well, so that the keyboard always finds the next one. */
const BEYOND = 6;

interface VirtualRowsProps<T> {
  items: readonly T[];
  keyOf: (item: T) => string;
  /** Every row is this high, in pixels. */
  rowHeight: number;
  label: string;
  className?: string;
  children: (item: T) => ReactNode;
}

interface Range {
  from: number;
  to: number;
}

/** Which of `count` rows are in view, and a few more. */
export function rangeOf(scrolled: number, height: number, rowHeight: number, count: number): Range {
  const from = Math.max(0, Math.floor(scrolled / rowHeight) - BEYOND);
  return { from, to: Math.min(count, Math.ceil((scrolled + height) / rowHeight) + BEYOND) };
}

/** A list in a box of its own that draws only the rows in view: hundreds of rows cost as much as twenty. */
export function VirtualRows<T>({ items, keyOf, rowHeight, label, className = "", children }: VirtualRowsProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<Range>({ from: 0, to: 24 });
  /** The row that has the focus is drawn wherever it is, else the keyboard would lose its place. */
  const [held, setHeld] = useState<number | null>(null);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => {
      const next = rangeOf(element.scrollTop, element.clientHeight, rowHeight, items.length);
      setRange((known) => (known.from === next.from && known.to === next.to ? known : next));
    };
    measure();
    element.addEventListener("scroll", measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", measure);
      observer.disconnect();
    };
  }, [rowHeight, items.length]);

  const shown: number[] = [];
  if (held !== null && held < range.from && held < items.length) shown.push(held);
  for (let index = range.from; index < Math.min(range.to, items.length); index += 1) shown.push(index);
  if (held !== null && held >= range.to && held < items.length) shown.push(held);

  return (
    <div ref={box} className={`virtual ${className}`}>
      <ul className="virtual-rows" style={{ height: items.length * rowHeight }} aria-label={label}>
        {shown.map((index) => {
          const item = items[index] as T;
          return (
            <li
              key={keyOf(item)}
              className="row virtual-row"
              style={{ top: index * rowHeight, height: rowHeight }}
              aria-setsize={items.length}
              aria-posinset={index + 1}
              onFocus={() => setHeld(index)}
              onBlur={() => setHeld(null)}
            >
              {children(item)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
