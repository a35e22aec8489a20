import { useStatus } from "../api/queries";
import type { Status } from "../api/types";
import * as format from "../lib/format";
import { kindOfBus, lagOf, namesOf, readersOf } from "../lib/bus";

/** What records come in by, and how far the watch and the lake are behind: nothing that asks for attention. */
function BusFigures({ status }: { status: Status }) {
  const troubled = status.bus_trouble !== null;
  const pulse = troubled ? "pulse pulse-caution" : status.runner === "none" ? "pulse" : "pulse pulse-on";
  return (
    <>
      <p className="bus-name" title={namesOf(status)}>
        <span className={pulse} aria-hidden="true" />
        {kindOfBus(status)}
        {troubled && <span className="caution">, not reached</span>}
      </p>
      <dl className="bus-readers">
        {readersOf(status).map((reader) => (
          <div key={reader.name}>
            <dt>{reader.name}</dt>
            <dd title={`${format.whole(reader.behind)} records to do`}>{lagOf(reader)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** The bus in the frame of every page: at the left, or below the page where it is narrow. */
export function BusLine({ place }: { place: "side" | "below" }) {
  const status = useStatus().data;
  if (!status) return null;
  return (
    <section className={`bus-line bus-${place} small`} aria-label="What comes in, and how far it is done" tabIndex={0}>
      <BusFigures status={status} />
    </section>
  );
}

/** Says in words that the bus cannot be reached, or the lake cannot be written. */
export function BusBanner() {
  const status = useStatus().data;
  if (!status) return null;
  return (
    <>
      {status.bus_trouble !== null && (
        <p className="banner banner-caution" role="status">
          <strong>Nothing comes in:</strong> {status.bus_trouble}
        </p>
      )}
      {status.lake_trouble !== null && (
        <p className="banner banner-caution" role="status">
          <strong>The lake is not written.</strong> {status.lake_trouble} What comes in is kept meanwhile.
        </p>
      )}
    </>
  );
}
