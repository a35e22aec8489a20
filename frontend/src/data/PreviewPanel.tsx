import { type FormEvent, useId, useState } from "react";
import type { Import, ImportOptions, Preview, PreviewColumn, PreviewField } from "../api/types";
import { Button, Tag } from "../components/base";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { containerWords, mappingOf, withField } from "./mapping";
import { useImportStep, useLayouts, useSaveLayout } from "./queries";

/** Every zone that the browser knows. */
const ZONES: readonly string[] = Intl.supportedValuesOf?.("timeZone") ?? [];

/** What the file is and what reads it, in a sentence. */
function Sentence({ preview }: { preview: Preview }) {
  const read = preview.layouts.filter((layout) => layout.layout !== null);
  const rows = preview.estimated_rows ?? null;
  return (
    <p>
      {containerWords(preview)}
      {rows !== null && <> with about {format.count(rows)} records</>}
      {preview.parts > 1 && <> in {format.whole(preview.parts)} parts</>}
      {read.length === 0 ? (
        <>; no layout reads it. Choose one, or the generic table.</>
      ) : (
        <>
          , read as{" "}
          {read.map((layout, index) => (
            <span key={layout.layout}>
              {index > 0 && ", "}
              <span className="strong">{layout.layout}</span>
              {read.length > 1 && ` (${format.whole(layout.rows)})`}
            </span>
          ))}
          .
        </>
      )}{" "}
      <Trouble preview={preview} />
    </p>
  );
}

function Trouble({ preview }: { preview: Preview }) {
  const rejected = preview.layouts.reduce((sum, layout) => sum + layout.rejected, 0);
  if (!rejected) return <span className="muted">All {format.whole(preview.rows)} records looked at can be read.</span>;
  const reasons = preview.layouts.flatMap((layout) => Object.entries(layout.reasons));
  return (
    <span className="caution-text">
      {format.whole(rejected)} of {format.whole(preview.rows)} records looked at would be set aside:{" "}
      {reasons.map(([reason, rows]) => `${reason} (${rows})`).join("; ")}.
    </span>
  );
}

interface ColumnRowProps {
  column: PreviewColumn;
  preview: Preview;
  choose: (field: string) => void;
}

function ColumnRow({ column, preview, choose }: ColumnRowProps) {
  return (
    <li className="row map-row">
      <span className="strong map-column">{column.column}</span>
      <span className="map-examples muted">
        {column.examples.length ? column.examples.map((example) => format.shortened(example, 60)).join("  ·  ") : "nothing in it"}
      </span>
      <span className="number muted map-filled" title="of the records looked at have something there">
        {format.percent(column.filled)}
      </span>
      <span className="map-field">
        <select
          aria-label={`Field of ${column.column}`}
          value={column.field ?? ""}
          onChange={(event) => choose(event.target.value)}
        >
          <option value="">keep in extra</option>
          {preview.choices.map((field) => (
            <option key={field} value={field}>
              {field}
            </option>
          ))}
        </select>
        {column.unreadable > 0 && (
          <span className="small caution-text">
            {format.whole(column.unreadable)} cannot be read as {column.field}
          </span>
        )}
      </span>
    </li>
  );
}

/** Columns of a table and the fields that they become. */
function Columns({ preview, choose }: { preview: Preview; choose: (column: string, field: string) => void }) {
  return (
    <>
      <div className="map-row map-heads note" aria-hidden="true">
        <span>column</span>
        <span>examples</span>
        <span className="number">filled</span>
        <span>field</span>
      </div>
      <ul className="rows map-rows" aria-label="Columns">
        {preview.columns.map((column) => (
          <ColumnRow key={column.column} column={column} preview={preview} choose={(field) => choose(column.column, field)} />
        ))}
      </ul>
    </>
  );
}

/** Lists that are empty everywhere say nothing. */
function says(field: PreviewField): boolean {
  return field.examples.some((example) => example !== "[]");
}

/** Fields that are shown before somebody asks for all. */
const FEW = 7;

/** What comes out, where a layout decides. */
function Fields({ preview }: { preview: Preview }) {
  const [all, setAll] = useState(false);
  const fields = preview.fields.filter(says);
  const hidden = all ? 0 : Math.max(0, fields.length - FEW);
  return (
    <>
      <div className="map-row map-heads note" aria-hidden="true">
        <span>field</span>
        <span>examples</span>
        <span className="number">filled</span>
        <span />
      </div>
      <ul className="rows map-rows" aria-label="Fields">
        {fields.slice(0, fields.length - hidden).map((field) => (
          <li key={`${field.table} ${field.field}`} className="row map-row">
            <span className="strong map-column">{field.field}</span>
            <span className="map-examples muted">{field.examples.map((example) => format.shortened(example, 80)).join("  ·  ")}</span>
            <span className="number muted map-filled">{format.percent(field.filled)}</span>
            <span className="map-field" />
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <p>
          <button type="button" className="link-button" onClick={() => setAll(true)}>
            {format.counted(hidden, "more fields")}
          </button>
        </p>
      )}
    </>
  );
}

interface SettingsProps {
  options: ImportOptions;
  mappable: boolean;
  change: (part: Partial<ImportOptions>) => void;
}

function Settings({ options, mappable, change }: SettingsProps) {
  const layouts = useLayouts(true).data?.items ?? [];
  const zones = useId();
  return (
    <div className="search map-settings">
      <label>
        <span className="note">layout</span>
        <select value={options.layout ?? ""} onChange={(event) => change({ layout: event.target.value || null, map: {} })}>
          <option value="">recognised from the content</option>
          {layouts.map((layout) => (
            <option key={layout.id} value={layout.id} title={layout.description}>
              {layout.id}
            </option>
          ))}
        </select>
      </label>
      {mappable && (
        <label>
          <span className="note">platform, if no column says it</span>
          <Typed value={options.platform ?? ""} placeholder="unknown" commit={(platform) => change({ platform: platform || null })} />
        </label>
      )}
      <label>
        <span className="note">times without a zone are in</span>
        <Typed value={options.tz ?? ""} placeholder="UTC" list={zones} commit={(tz) => change({ tz: tz || null })} />
        <datalist id={zones}>
          {ZONES.map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
      </label>
    </div>
  );
}

interface TypedProps {
  value: string;
  placeholder: string;
  list?: string;
  commit: (value: string) => void;
}

/** A text that counts once it is finished. */
function Typed({ value, placeholder, list, commit }: TypedProps) {
  const [draft, setDraft] = useState(value);
  const done = () => draft.trim() !== value && commit(draft.trim());
  return (
    <input
      value={draft}
      placeholder={placeholder}
      autoComplete="off"
      spellCheck={false}
      {...(list ? { list } : {})}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={done}
      onKeyDown={(event) => event.key === "Enter" && done()}
    />
  );
}

/** Keep the mapping under a name, so that the next table of its kind is read so by itself. */
function SaveMapping({ preview, options }: { preview: Preview; options: ImportOptions }) {
  const [name, setName] = useState("");
  const save = useSaveLayout();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const map = mappingOf(preview, options);
    save.mutate({ name: name.trim(), map, platform: options.platform ?? null, tz: options.tz ?? null });
  };
  if (save.isSuccess) return <span className="small">Saved as saved.{save.variables.name}; such tables are read so from now on.</span>;
  return (
    <form className="save-mapping" onSubmit={submit}>
      <input
        aria-label="Name of the mapping"
        value={name}
        placeholder="name"
        autoComplete="off"
        spellCheck={false}
        maxLength={64}
        onChange={(event) => setName(event.target.value.toLowerCase().replace(/[^a-z0-9_-]+/g, "-"))}
      />
      <Button type="submit" disabled={!name.trim() || save.isPending}>
        Save mapping
      </Button>
      {save.error && <span className="small caution-text">{save.error.message}</span>}
    </form>
  );
}

/** How a file would be read, to be adjusted before it is imported. */
export function PreviewPanel({ one }: { one: Import }) {
  const look = useImportStep("preview");
  const start = useImportStep("start");
  const { preview, options } = one;
  if (!preview) return null;
  const looking = one.state === "looking" || look.isPending;
  const change = (part: Partial<ImportOptions>) => look.mutate({ id: one.id, options: { ...options, ...part } });
  const choose = (column: string, field: string) => change({ map: withField(mappingOf(preview, options), column, field) });
  const left = preview.columns.filter((column) => column.field === null).length;
  return (
    <div className={looking ? "preview stale" : "preview"} aria-busy={looking}>
      <Sentence preview={preview} />
      {[...preview.habits, ...preview.notes].map((note) => (
        <p key={note} className="small muted">
          {note}
        </p>
      ))}
      <Settings options={options} mappable={preview.mappable} change={change} />
      {preview.mappable ? <Columns preview={preview} choose={choose} /> : <Fields preview={preview} />}
      {look.error && <ErrorNote error={look.error} />}
      {one.error && (
        <div className="error-note" role="alert">
          <p className="strong">{one.error}</p>
          {one.hint && <p className="muted">{one.hint}</p>}
        </div>
      )}
      {start.error && <ErrorNote error={start.error} />}
      <div className="preview-foot">
        <Button primary disabled={looking || start.isPending} onClick={() => start.mutate({ id: one.id })}>
          {one.state === "failed" ? "Try again" : "Import"}
        </Button>
        {looking && <Tag>looking again</Tag>}
        <span className="small muted">
          {preview.mappable && left > 0 && `${format.counted(left, "columns")} of no field ${left === 1 ? "is" : "are"} kept in extra. `}
          Nothing is stored before you import.
        </span>
        {preview.mappable && <SaveMapping preview={preview} options={options} />}
      </div>
    </div>
  );
}
