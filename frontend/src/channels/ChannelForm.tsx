import { type FormEvent, useState } from "react";
import { useAddChannel, useChangeChannel, usePreview } from "../api/channels";
import { useTrackers } from "../api/queries";
import type { Channel, ChannelKind, ChannelKinds } from "../api/types";
import { Button } from "../components/base";
import { Dialog } from "../components/Dialog";
import { ErrorNote } from "../components/states";
import { changedChannelOf, type ChannelDraft, draftOfChannel, emptyDraft, EVENTS, newChannelOf, settingsOf, templatesOf } from "./draft";

interface ChannelFormProps {
  kinds: ChannelKinds;
  channels: readonly Channel[];
  /** The channel that is changed; absent: a new one. */
  channel?: Channel;
  onClose: () => void;
}

/** Writes a channel: where it leads, what it is told of, when it keeps still, and in which words. */
export function ChannelForm({ kinds, channels, channel, onClose }: ChannelFormProps) {
  const offered = kinds.items.filter((kind) => !kind.local || kind.kind === channel?.kind);
  const [draft, setDraft] = useState(() => (channel ? draftOfChannel(channel) : emptyDraft(offered[0]?.kind ?? "webhook")));
  const kind = kinds.items.find((each) => each.kind === draft.kind);
  const add = useAddChannel();
  const change = useChangeChannel(channel?.id ?? "");
  const pending = add.isPending || change.isPending;
  const error = add.error ?? change.error;
  if (!kind) return null;
  const set = (part: Partial<ChannelDraft>) => setDraft({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (channel) change.mutate(changedChannelOf(draft, kind, channel), { onSuccess: onClose });
    else add.mutate(newChannelOf(draft, kind), { onSuccess: onClose });
  };
  return (
    <Dialog title={channel ? `Change ${channel.name}` : "New channel"} onClose={onClose} className="dialog-wide">
      <form className="form" onSubmit={submit}>
        {!channel && (
          <div className="field-row">
            <label>
              <span>Name</span>
              <input value={draft.name} required autoFocus maxLength={200} autoComplete="off" onChange={(event) => set({ name: event.target.value })} />
            </label>
            <label>
              <span>Kind</span>
              <select value={draft.kind} onChange={(event) => set({ kind: event.target.value as ChannelDraft["kind"], settings: {} })}>
                {offered.map((each) => (
                  <option key={each.kind} value={each.kind}>
                    {each.label}
                  </option>
                ))}
              </select>
            </label>
          </div>
        )}
        <p className="note">{kind.meaning}</p>
        <Settings draft={draft} kind={kind} set={set} />
        <Rules draft={draft} set={set} channels={channels.filter((each) => each.id !== channel?.id)} chosen={channel?.trackers ?? []} />
        <Words draft={draft} kind={kind} kinds={kinds} set={set} />
        {error && <ErrorNote error={error} />}
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button primary type="submit" disabled={pending || draft.events.length === 0}>
            {pending ? "Saving…" : channel ? "Save changes" : "Add channel"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface PartProps {
  draft: ChannelDraft;
  set: (part: Partial<ChannelDraft>) => void;
}

/** What the kind needs to know; where commands and files lead is said at the command line. */
function Settings({ draft, kind, set }: PartProps & { kind: ChannelKind }) {
  if (kind.local) return <p className="note">Where it leads can only be changed at the command line of the machine that sends.</p>;
  return (
    <div className="field-grid">
      {kind.settings.map((setting) => {
        const value = draft.settings[setting.name] ?? "";
        const write = (text: string) => set({ settings: { ...draft.settings, [setting.name]: text } });
        return (
          <label key={setting.name} title={setting.meaning}>
            <span>
              {setting.label}
              {!setting.required && <span className="muted"> optional</span>}
            </span>
            {setting.form === "choice" ? (
              <select value={value} onChange={(event) => write(event.target.value)}>
                <option value="">as usual</option>
                {(setting.choices ?? []).map((choice) => (
                  <option key={choice}>{choice}</option>
                ))}
              </select>
            ) : (
              <input
                value={value}
                required={setting.required}
                type={setting.form === "number" ? "number" : "text"}
                placeholder={setting.example}
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => write(event.target.value)}
              />
            )}
            <span className="note">
              {setting.form === "secret" && value ? `the server reads it from GROUNDSWELL_SECRET_${value.trim()}` : setting.meaning}
            </span>
          </label>
        );
      })}
    </div>
  );
}

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

interface RulesProps extends PartProps {
  channels: readonly Channel[];
  /** The trackers that the channel has: one that was removed stays chosen until somebody says otherwise. */
  chosen: NonNullable<Channel["trackers"]>;
}

function Rules({ draft, set, channels, chosen }: RulesProps) {
  const active = useTrackers().data?.items ?? [];
  const trackers = [...active, ...chosen.filter((each) => !active.some((tracker) => tracker.id === each.id))];
  const { quiet } = draft;
  return (
    <>
      <fieldset>
        <legend className="small">Tell it when</legend>
        <div className="checks-line">
          {EVENTS.map(([event, says]) => (
            <label key={event} className="check-box">
              <input
                type="checkbox"
                checked={draft.events.includes(event)}
                onChange={(change) =>
                  set({ events: EVENTS.map(([name]) => name).filter((name) => (name === event ? change.target.checked : draft.events.includes(name))) })
                }
              />
              {says}
            </label>
          ))}
        </div>
      </fieldset>
      <div className="field-row">
        <label>
          <span>Only of these trackers (none chosen: all)</span>
          <select
            multiple
            size={Math.min(5, Math.max(2, trackers.length))}
            value={draft.trackers}
            onChange={(event) => set({ trackers: [...event.target.selectedOptions].map((option) => option.value) })}
          >
            {trackers.map((tracker) => (
              <option key={tracker.id} value={tracker.id}>
                {tracker.name}
              </option>
            ))}
          </select>
        </label>
        <div className="form">
          <label>
            <span>Only what comes at most once in … days</span>
            <input
              type="number"
              min="0"
              step="any"
              placeholder="whatever is an alert"
              value={draft.leastDays}
              onChange={(event) => set({ leastDays: event.target.value })}
            />
          </label>
          <label>
            <span>If it fails, tell</span>
            <select value={draft.reportTo} onChange={(event) => set({ reportTo: event.target.value })}>
              <option value="">this page only</option>
              {channels.map((each) => (
                <option key={each.id} value={each.name}>
                  {each.name}
                </option>
              ))}
            </select>
          </label>
        </div>
      </div>
      <fieldset>
        <legend className="hidden">Quiet hours</legend>
        <label className="check-box">
          <input
            type="checkbox"
            checked={quiet !== null}
            onChange={(event) => set({ quiet: event.target.checked ? { start: "22:00", end: "07:00", tz: ZONE, then: "digest" } : null })}
          />
          Quiet hours
        </label>
        {quiet && (
          <div className="field-row">
            <label>
              <span>from</span>
              <input type="time" required value={quiet.start} onChange={(event) => set({ quiet: { ...quiet, start: event.target.value } })} />
            </label>
            <label>
              <span>to</span>
              <input type="time" required value={quiet.end} onChange={(event) => set({ quiet: { ...quiet, end: event.target.value } })} />
            </label>
            <label>
              <span>in the time of</span>
              <input required value={quiet.tz} onChange={(event) => set({ quiet: { ...quiet, tz: event.target.value } })} />
            </label>
            <label>
              <span>afterwards</span>
              <select value={quiet.then} onChange={(event) => set({ quiet: { ...quiet, then: event.target.value as "digest" | "drop" } })}>
                <option value="digest">one message of all</option>
                <option value="drop">nothing</option>
              </select>
            </label>
          </div>
        )}
      </fieldset>
    </>
  );
}

function Words({ draft, kind, kinds, set }: PartProps & { kind: ChannelKind; kinds: ChannelKinds }) {
  const preview = usePreview();
  const named = kind.templates.filter((template) => template.name !== "body");
  if (named.length === 0) return null;
  return (
    <details className="words-of">
      <summary className="small">Words</summary>
      <div className="form">
        {named.map((template) => (
          <label key={template.name}>
            <span>{template.name === "title" ? "Title" : "Text"}</span>
            <textarea
              rows={template.name === "title" ? 1 : 4}
              maxLength={10_000}
              placeholder={template.usual}
              value={template.name === "title" ? draft.title : draft.text}
              onChange={(event) => set(template.name === "title" ? { title: event.target.value } : { text: event.target.value })}
            />
          </label>
        ))}
        <p className="note fields-of">
          {kinds.fields.map((field) => (
            <span key={field.name} title={`${field.meaning}, such as ${field.example}`}>
              ${field.name}{" "}
            </span>
          ))}
        </p>
        <div>
          <Button
            disabled={preview.isPending}
            onClick={() => preview.mutate({ kind: draft.kind, settings: kind.local ? null : settingsOf(draft, kind), templates: templatesOf(draft), alert: null })}
          >
            Show what would be sent
          </Button>
        </div>
        {preview.error && <ErrorNote error={preview.error} />}
        {preview.data && (
          <pre className="preview-text" tabIndex={0} aria-label="What would be sent">
            {preview.data.text}
          </pre>
        )}
      </div>
    </details>
  );
}
