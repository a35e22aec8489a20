import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useCheckedQuery, useQueryFilters } from "../api/queries";
import type { CheckedQuery, QueryFilters } from "../api/types";
import { piecesOf, placeOf, type QueryMark, typedFilter } from "../lib/queryMarks";
import { QueryFaultNote } from "./states";

interface QueryFieldProps {
  value: string;
  onChange: (query: string) => void;
  /** Enter without Shift. */
  onSubmit: () => void;
  /** It will watch a stream: warn of what only makes sense for what lies in the lake. */
  forTracker?: boolean;
}

/** How long nobody types before the query is looked at, milliseconds. */
const PAUSE_MS = 250;

/** The value once it has rested for a moment. */
function useRested(value: string): string {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}

function marksOf(checked: CheckedQuery | undefined): QueryMark[] {
  if (!checked) return [];
  const fault: QueryMark[] = checked.column === null ? [] : [{ column: checked.column, length: 1, kind: "fault" }];
  return [...fault, ...checked.warnings.map(({ column, length }) => ({ column, length, kind: "warning" as const }))];
}

/** A query as it is written: looked at after each pause, with the fault marked in place, warnings and completion of filters. */
export function QueryField({ value, onChange, onSubmit, forTracker = false }: QueryFieldProps) {
  const box = useRef<HTMLTextAreaElement>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  const [closed, setClosed] = useState(false);
  const rested = useRested(value);
  const answer = useCheckedQuery(rested.trim() ? rested : "", forTracker);
  // An answer about another text would mark the wrong place.
  const checked = rested === value ? answer.data : undefined;
  const filters = useQueryFilters().data;
  const [note, list] = [useId(), useId()];
  const options = cursor === null || closed ? [] : optionsOf(filters, value, cursor);
  const offered = options.slice(0, 8);

  const complete = (option: Option) => {
    const next = value.slice(0, option.from) + option.text + value.slice(cursor ?? value.length);
    const place = option.from + option.text.length;
    onChange(next);
    setCursor(place);
    setChosen(0);
    requestAnimationFrame(() => box.current?.setSelectionRange(place, place));
  };

  const press = (event: KeyboardEvent) => {
    const option = offered[Math.min(chosen, offered.length - 1)];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (option && step) {
      event.preventDefault();
      setChosen((chosen + step + offered.length) % offered.length);
    } else if (option && event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      complete(option);
    } else if (offered.length > 0 && event.key === "Escape") {
      event.preventDefault();
      setClosed(true);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      onSubmit();
    }
  };

  return (
    <div className="query-field">
      <label htmlFor={`${list}-box`} className="small">
        Query
      </label>
      <div className="query-box">
        <div className="query-marks" aria-hidden="true">
          {piecesOf(value, marksOf(checked)).map((piece, index) => (
            <span key={index} className={`query-${piece.kind}`}>
              {piece.text}
            </span>
          ))}{" "}
        </div>
        <textarea
          id={`${list}-box`}
          ref={box}
          value={value}
          rows={2}
          maxLength={4000}
          autoFocus
          required
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="none"
          placeholder={'"side effects" OR #covaxin'}
          aria-invalid={checked?.ok === false}
          aria-describedby={note}
          aria-autocomplete="list"
          aria-controls={offered.length ? list : undefined}
          aria-activedescendant={offered.length ? `${list}-${Math.min(chosen, offered.length - 1)}` : undefined}
          onKeyDown={press}
          onChange={(event) => {
            onChange(event.target.value.replace(/\n/g, " "));
            setCursor(event.target.selectionStart);
            setClosed(false);
            setChosen(0);
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart)}
          onBlur={() => setCursor(null)}
        />
        {offered.length > 0 && (
          <ul className="query-options" id={list} role="listbox" aria-label="Filters">
            {offered.map((option, index) => (
              <li
                key={option.text}
                id={`${list}-${index}`}
                role="option"
                aria-selected={index === Math.min(chosen, offered.length - 1)}
                // The box must keep the focus, else the list is gone before the click.
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => complete(option)}
              >
                <span className="strong">{option.text}</span> <span className="note">{option.means}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <div id={note}>
        <QuerySays query={value} checked={checked} onPlace={(column) => box.current && toPlace(box.current, value, column)} />
      </div>
    </div>
  );
}

function toPlace(box: HTMLTextAreaElement, query: string, column: number): void {
  const place = placeOf(query, column);
  box.focus();
  box.setSelectionRange(place, place);
}

interface Option {
  from: number;
  text: string;
  means: string;
}

/** What may follow at the cursor: names of filters, or the values of one. */
function optionsOf(filters: QueryFilters | undefined, query: string, cursor: number): Option[] {
  const typed = typedFilter(query, cursor);
  if (!filters || !typed) return [];
  const { from, name, value } = typed;
  if (value === null) {
    if (name.length < 2) return [];
    return filters.items
      .filter((filter) => filter.name.startsWith(name))
      .map((filter) => ({ from, text: `${filter.name}:${filter.kind === "count" ? ">" : ""}`, means: filter.means }));
  }
  const filter = filters.items.find((each) => each.name === name);
  return (filter?.choices ?? [])
    .filter((choice) => choice.startsWith(value.toLowerCase()) && choice !== value.toLowerCase())
    .map((choice) => ({ from, text: `${name}:${choice}`, means: "" }));
}

interface QuerySaysProps {
  query: string;
  checked: CheckedQuery | undefined;
  onPlace: (column: number) => void;
}

/** What the query means, where it is wrong, and what in it may surprise. */
function QuerySays({ query, checked, onPlace }: QuerySaysProps) {
  if (!query.trim()) {
    return (
      <p className="note">
        Words, "phrases", prefix*, #tag, @mention, AND, OR, -not, (brackets), platform:tiktok lang:en followers:&gt;1000
      </p>
    );
  }
  if (!checked) return <p className="note">&nbsp;</p>;
  if (checked.column !== null) {
    return (
      <div className="stack-small">
        <QueryFaultNote query={query} column={checked.column} expected={checked.expected ?? ""} typing />
        <button type="button" className="link-button small" onClick={() => onPlace(checked.column ?? 1)}>
          to column {checked.column}
        </button>
      </div>
    );
  }
  return (
    <div className="stack-small" role="status">
      <p className="tags">
        {checked.terms.map((term) => (
          <span key={`${term.column} ${term.text}`} className={term.excluded ? "tag tag-out" : "tag"} title={term.kind}>
            {term.excluded && "not "}
            {term.text}
          </span>
        ))}
      </p>
      {checked.warnings.map((warning) => (
        <p key={`${warning.column} ${warning.code}`} className="query-warning small">
          <button type="button" className="link-button" onClick={() => onPlace(warning.column)}>
            Column {warning.column}
          </button>
          : {warning.text}
        </p>
      ))}
    </div>
  );
}
