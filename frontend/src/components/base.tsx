import type { ComponentProps, ReactNode } from "react";
import * as format from "../lib/format";
import { Link } from "../lib/router";

interface CardProps {
  title: string;
  /** Small print at the right of the title: n, window, what a band is. */
  note?: ReactNode;
  /** What changes how the card is shown: a switch. */
  action?: ReactNode;
  children: ReactNode;
  className?: string;
}

/** A titled surface; the page is made of these. */
export function Card({ title, note, action, children, className = "" }: CardProps) {
  return (
    <section className={`card ${className}`} aria-label={title}>
      <header className="card-head">
        <h2>{title}</h2>
        {action}
        {note !== undefined && <p className="note">{note}</p>}
      </header>
      {children}
    </section>
  );
}

interface TagProps {
  tone?: "quiet" | "unusual" | "caution";
  title?: string;
  children: ReactNode;
}

/** A state in a word or two. Warm only for what is unusual. */
export function Tag({ tone = "quiet", title, children }: TagProps) {
  return (
    <span className={`tag tag-${tone}`} title={title}>
      {children}
    </span>
  );
}

type ButtonProps = ComponentProps<"button"> & { primary?: boolean };

export function Button({ primary = false, className = "", ...rest }: ButtonProps) {
  return <button type="button" className={`button ${primary ? "button-primary" : ""} ${className}`} {...rest} />;
}

interface ButtonLinkProps {
  to: string;
  primary?: boolean;
  children: ReactNode;
}

export function ButtonLink({ to, primary = false, children }: ButtonLinkProps) {
  return (
    <Link to={to} className={primary ? "button button-primary" : "button"}>
      {children}
    </Link>
  );
}

interface TimeProps {
  at: format.Moment | null | undefined;
  now?: format.Moment;
}

/** A time local to the reader; UTC on hover. */
export function Time({ at, now }: TimeProps) {
  if (at === null || at === undefined) return <span title="time not known">{format.MISSING}</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={format.utc(at)}>
      {format.clock(at, now)}
    </time>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
}

/** Nothing here, and what to do about it. */
export function Empty({ title, children }: EmptyProps) {
  return (
    <div className="empty">
      <p className="strong">{title}</p>
      {children && <div className="muted">{children}</div>}
    </div>
  );
}

/** Grey lines where rows will be. */
export function Loading({ rows = 3, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div className="loading" role="status">
      <span className="hidden">{label}</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="loading-row" aria-hidden="true">
          <span style={{ width: `${28 - (index % 3) * 5}%` }} />
          <span style={{ width: `${52 + (index % 2) * 8}%` }} />
        </div>
      ))}
    </div>
  );
}
