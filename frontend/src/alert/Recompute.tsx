import { useState } from "react";
import { useRecomputed } from "../api/alerts";
import type { Alert, Recomputed } from "../api/types";
import { Button } from "../components/base";
import { Dialog } from "../components/Dialog";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";

/** Makes the card again from the lake and says whether it comes out the same. */
export function Recompute({ alert }: { alert: Alert }) {
  const [wanted, setWanted] = useState(false);
  return (
    <>
      <button type="button" className="link-button" onClick={() => setWanted(true)}>
        recompute
      </button>
      {wanted && <Answer alert={alert} onClose={() => setWanted(false)} />}
    </>
  );
}

const STATES: Record<Recomputed["state"], string> = {
  equal: "It comes out the same.",
  different: "It comes out different.",
  "posts gone": "Some of its posts are gone.",
  "not in the lake yet": "The lake does not have all of its posts yet.",
  "not possible": "It cannot be made again.",
};

function Answer({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const answer = useRecomputed(alert.id, true);
  const found = answer.data;
  return (
    <Dialog title="The card, made again" onClose={onClose} className="dialog-wide">
      {answer.isFetching && <p role="status">Reading the posts from the lake…</p>}
      {answer.error && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
      {found && !answer.isFetching && <Found found={found} />}
      <div className="form-actions">
        <Button primary onClick={onClose}>
          Close
        </Button>
      </div>
    </Dialog>
  );
}

function Found({ found }: { found: Recomputed }) {
  const [first, last] = found.span;
  return (
    <div className="stack">
      <div>
        <p className="strong">{STATES[found.state]}</p>
        <p className="muted">{found.detail}</p>
      </div>
      <dl className="facts small">
        <div>
          <dt className="muted">posts found of those frozen</dt>
          <dd>
            {format.whole(found.posts_found)} of {format.whole(found.posts_frozen)}
          </dd>
        </div>
        <div>
          <dt className="muted">lake version read</dt>
          <dd>{format.whole(found.lake_version)}</dd>
        </div>
        <div>
          <dt className="muted">first that had them all</dt>
          <dd>{format.whole(found.frozen_lake_version)}</dd>
        </div>
        {first !== undefined && last !== undefined && (
          <div>
            <dt className="muted">rows read</dt>
            <dd>
              {format.whole(first)}–{format.whole(last)}
            </dd>
          </div>
        )}
        <div>
          <dt className="muted">posts that match by now as well</dt>
          <dd>{format.whole(found.more)}</dd>
        </div>
      </dl>
      {found.differences.length > 0 && (
        <div className="scroll-box" tabIndex={0} role="region" aria-label="Differences">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">where</th>
                <th scope="col">frozen</th>
                <th scope="col">now</th>
              </tr>
            </thead>
            <tbody>
              {found.differences.map((difference) => (
                <tr key={difference.where}>
                  <td>{difference.where}</td>
                  <td>{written(difference.frozen)}</td>
                  <td>{written(difference.now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function written(value: unknown): string {
  if (value === null || value === undefined) return format.MISSING;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return format.shortened(text, 120);
}
