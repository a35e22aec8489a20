import type { ImportOptions, Preview } from "../api/types";

type Mapping = Record<string, string>;

const FORMS: Record<string, string> = {
  ndjson: "JSON, one record a line",
  json: "A JSON document",
  table: "A table",
  parquet: "A Parquet file",
  xlsx: "A workbook",
};
const DELIMITERS: Record<string, string> = { ",": "comma", "\t": "tab", ";": "semicolon", "|": "bar" };

/** What a file is: `A table (comma, utf-8), packed with gzip`. */
export function containerWords({ container }: Pick<Preview, "container">): string {
  const { form, compression, encoding, delimiter } = container;
  const details = [
    delimiter === null ? null : (DELIMITERS[delimiter] ?? `“${delimiter}”`),
    encoding && encoding !== "utf-8" ? encoding : null,
  ].filter(Boolean);
  const packed = compression === null ? "" : `, packed with ${compression}`;
  return `${FORMS[form] ?? form}${details.length ? ` (${details.join(", ")})` : ""}${packed}`;
}

/** Column by field as the preview reads the table: what was chosen, and what was guessed. */
export function mappingOf(preview: Pick<Preview, "columns">, options: Pick<ImportOptions, "map">): Mapping {
  const read = preview.columns.flatMap((column) => (column.field === null ? [] : [[column.field, column.column] as const]));
  // A field with an empty column is one that a person has taken from a guess.
  const emptied = Object.entries(options.map ?? {}).filter(([, column]) => column === "");
  return { ...Object.fromEntries(emptied), ...Object.fromEntries(read) };
}

/** The mapping after `column` was made `field` (empty: none). A field has one column, and a column is one field. */
export function withField(mapping: Mapping, column: string, field: string): Mapping {
  const next: Mapping = {};
  for (const [known, of] of Object.entries(mapping)) {
    // What was guessed of this column must not be guessed again.
    if (of === column) next[known] = "";
    else if (known !== field) next[known] = of;
  }
  if (field) next[field] = column;
  return next;
}
