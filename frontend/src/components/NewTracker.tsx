import { type FormEvent, useId, useState } from "react";
import { Problem } from "../api/client";
import { useAddTracker } from "../api/queries";
import { Button } from "./base";
import { Dialog } from "./Dialog";
import { closeOverlay } from "./overlays";
import { ErrorNote, QueryFaultNote } from "./states";

/** The form for a tracker; a query that does not parse is shown with the place where it stops. */
export function NewTrackerForm({ onDone, first = "" }: { onDone: () => void; first?: string }) {
  const [query, setQuery] = useState(first);
  const [name, setName] = useState("");
  const add = useAddTracker();
  const note = useId();
  const fault = add.error instanceof Problem ? add.error.fault : null;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const typed = query.trim();
    add.mutate({ name: name.trim() || typed.slice(0, 200), query: typed }, { onSuccess: onDone });
  };

  return (
    <form className="form" onSubmit={submit}>
      <label>
        <span>Query</span>
        <input
          value={query}
          required
          autoFocus
          maxLength={4000}
          spellCheck={false}
          autoComplete="off"
          placeholder={'"side effects" OR #covaxin'}
          aria-invalid={fault !== null}
          aria-describedby={note}
          onChange={(event) => {
            setQuery(event.target.value);
            if (add.isError) add.reset();
          }}
        />
      </label>
      {fault ? (
        <QueryFaultNote {...fault} query={fault.query || query} id={note} />
      ) : (
        <p className="note" id={note}>
          Words, "phrases", prefix*, #tag, @mention, AND, OR, -not, (brackets), platform:tiktok lang:en views:&gt;1000
        </p>
      )}
      <label>
        <span>Name</span>
        <input
          value={name}
          maxLength={200}
          autoComplete="off"
          placeholder={query.trim() || "as the query"}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      {add.error && !fault && <ErrorNote error={add.error} />}
      <div className="form-actions">
        <Button onClick={onDone}>Cancel</Button>
        <Button primary type="submit" disabled={add.isPending || !query.trim()}>
          {add.isPending ? "Adding…" : "Add tracker"}
        </Button>
      </div>
    </form>
  );
}

export function NewTracker() {
  return (
    <Dialog title="New tracker" onClose={closeOverlay}>
      <p className="muted dialog-lead">
        Its posts are counted from now on. What was imported before teaches it what is usual.
      </p>
      <NewTrackerForm onDone={closeOverlay} />
    </Dialog>
  );
}
