import type { Alert, AlertSummary, SimilarAlert } from "../api/types";
import { VERDICTS } from "../components/AlertList";
import { Card, Tag, Time } from "../components/base";
import * as format from "../lib/format";
import { alertAddress } from "../lib/places";
import { Link } from "../lib/router";

/** Other alerts that were raised by mostly the same posts: one development, seen by several trackers. */
export function Group({ alert, now }: { alert: AlertSummary; now: format.Moment }) {
  const members = (alert.members ?? []).filter((member) => member.id !== alert.id);
  if (members.length === 0) return null;
  return (
    <Card title="Raised by mostly the same posts" note={`${format.whole(members.length)} more`}>
      <ul className="rows others">
        {members.map((member) => (
          <li key={member.id} className="row">
            <Link to={alertAddress(member.id)} className="other" data-row>
              <span className="strong">{member.tracker_name}</span>
              <span className="small muted">{member.headline}</span>
              <span className="small muted other-time">
                <Time at={member.started_at} now={now} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function ending(similar: SimilarAlert): string {
  const lasted = similar.minutes === null ? "still open" : `lasted ${format.duration(similar.minutes * 60)}`;
  return `${format.ratio(similar.ratio)}, ${format.counted(similar.posts, "posts")}, ${lasted}`;
}

/** Earlier alerts of this tracker that were about the same, and what became of them. */
export function Similar({ alert, now }: { alert: Alert; now: format.Moment }) {
  const similar = alert.similar ?? [];
  if (similar.length === 0) return null;
  return (
    <Card title="Similar past alerts" note="by words, hashtags, authors and links in common">
      <ul className="rows others">
        {similar.map((one) => (
          <li key={one.id} className="row">
            <Link to={alertAddress(one.id)} className="other" data-row>
              <span className="strong">{one.headline}</span>
              <span className="small muted">
                {ending(one)}
                {one.shared.length > 0 && ` · both: ${one.shared.slice(0, 5).join(", ")}`}
                {one.verdict_note && ` · ${one.verdict_note}`}
              </span>
              <span className="small muted other-time">
                <Time at={one.started_at} now={now} />
              </span>
              <span className="other-tag">
                <Tag>{one.verdict ? VERDICTS[one.verdict].toLowerCase() : "not judged"}</Tag>{" "}
                <span className="note" title="how much both have in common, 0 to 100 %">
                  {format.percent(one.likeness)} alike
                </span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
