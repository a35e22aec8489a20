/** Where an editor marks a query. Columns count characters (code points) from 1, as the API does. */
export interface QueryMark {
  column: number;
  length: number;
  kind: "fault" | "warning";
}

export interface Piece {
  text: string;
  kind: "plain" | QueryMark["kind"];
}

/** The query cut at its marks; a fault behind the end becomes one blank, so that there is something to mark. */
export function piecesOf(query: string, marks: readonly QueryMark[]): Piece[] {
  const characters = [...query];
  const kinds: Piece["kind"][] = characters.map(() => "plain");
  let beyond = false;
  // Faults are written last, so that they win over warnings.
  for (const mark of [...marks].sort((a, b) => Number(a.kind === "fault") - Number(b.kind === "fault"))) {
    const from = Math.max(1, mark.column) - 1;
    if (from >= characters.length) beyond = true;
    for (let index = from; index < Math.min(characters.length, from + Math.max(1, mark.length)); index += 1) kinds[index] = mark.kind;
  }
  const pieces: Piece[] = [];
  for (const [index, character] of characters.entries()) {
    const kind = kinds[index] as Piece["kind"];
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += character;
    else pieces.push({ text: character, kind });
  }
  if (beyond) pieces.push({ text: "\u00a0", kind: "fault" });
  return pieces;
}

/** The UTF-16 place of a column in a text, for the cursor. */
export function placeOf(query: string, column: number): number {
  return [...query].slice(0, Math.max(0, column - 1)).join("").length;
}

/** What stands before the cursor and may be completed: the beginning of a filter's name, or of its value. */
export function typedFilter(query: string, cursor: number): { from: number; name: string; value: string | null } | null {
  const before = query.slice(0, cursor);
  if ((before.match(/"/g)?.length ?? 0) % 2 === 1) return null;
  const found = /(?:^|[\s(])-?([a-z_]+)(?::([^\s()"]*))?$/iu.exec(before);
  if (!found?.[1]) return null;
  const value = found[2] ?? null;
  const length = found[1].length + (value === null ? 0 : value.length + 1);
  return { from: cursor - length, name: found[1].toLowerCase(), value };
}
