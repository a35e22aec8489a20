import { useState } from "react";
import { useChangeAlert } from "../api/alerts";
import type { Alert, Verdict } from "../api/types";
import { VERDICTS } from "../components/AlertList";
import { Button } from "../components/base";
import { Dialog } from "../components/Dialog";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { SNOOZES } from "./snooze";

/** What people do with an alert: say that they have seen it, what it was, and for how long they want silence. */
export function Actions({ alert, now }: { alert: Alert; now: format.Moment }) {
  const change = useChangeAlert(alert.id);
  const [asked, setAsked] = useState(false);
  const pending = change.isPending ? change.variables : undefined;
  const given = pending?.verdict !== undefined ? pending.verdict : alert.verdict;
  const seen = pending?.acknowledged ?? alert.acknowledged_at !== null;
  return (
    <div className="actions">
      <div role="group" aria-label="What was it?">
        {(Object.keys(VERDICTS) as Verdict[]).map((name) => (
          <Button
            key={name}
            aria-pressed={given === name}
            disabled={change.isPending}
            onClick={() => change.mutate({ verdict: given === name ? null : name })}
          >
            {VERDICTS[name]}
          </Button>
        ))}
      </div>
      <div role="group" aria-label="What now?">
        <Button aria-pressed={seen} disabled={change.isPending} onClick={() => change.mutate({ acknowledged: !seen })}>
          {seen ? "Acknowledged" : "Acknowledge"}
        </Button>
        <Button aria-pressed={isSnoozed(alert, now)} onClick={() => setAsked(true)}>
          {isSnoozed(alert, now) ? `Snoozed until ${format.clock(alert.snoozed_until, now)}` : "Snooze"}
        </Button>
      </div>
      {change.error && <ErrorNote error={change.error} />}
      {asked && <SnoozeDialog alert={alert} now={now} onClose={() => setAsked(false)} />}
    </div>
  );
}

function isSnoozed(alert: Alert, now: format.Moment): boolean {
  return alert.snoozed_until != null && Date.parse(alert.snoozed_until) > new Date(now).getTime();
}

function SnoozeDialog({ alert, now, onClose }: { alert: Alert; now: format.Moment; onClose: () => void }) {
  const change = useChangeAlert(alert.id);
  const set = (until: Date | null) =>
    change.mutate({ snoozed_until: until === null ? null : until.toISOString() }, { onSuccess: onClose });
  return (
    <Dialog title={`Snooze ${alert.tracker_name}`} onClose={onClose}>
      <p className="muted dialog-lead">Its alerts are raised and shown as ever; nothing is sent about them until then.</p>
      <ul className="choices">
        {SNOOZES.map(({ says, until }) => (
          <li key={says}>
            <Button disabled={change.isPending} onClick={() => set(until(new Date()))}>
              {says}
            </Button>
          </li>
        ))}
        {isSnoozed(alert, now) && (
          <li>
            <Button disabled={change.isPending} onClick={() => set(null)}>
              wake it now
            </Button>
          </li>
        )}
      </ul>
      {change.error && <ErrorNote error={change.error} />}
      <div className="form-actions">
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Dialog>
  );
}
