/** Faults of the whole server at the press of a button, in development mode: each with what is to be seen then. */
import { useRequest } from "@holdfast/react";
import { type ReactNode, useState } from "react";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";

type WeatherMethods = {
  "weather.make": {
    readonly params: { readonly fault: string };
    readonly result: { readonly fault: string; readonly until: number };
  };
};

interface Fault {
  readonly fault: string;
  readonly name: string;
  readonly sentence: string;
  readonly done: string;
}

const faults: readonly Fault[] = [
  {
    fault: "storeAway",
    name: "Stop the database",
    sentence:
      "For 20 seconds it answers nobody. Nothing closes; what you send waits, and is there once when it is back.",
    done: "The database is away.",
  },
  {
    fault: "busLost",
    name: "Lose the bus",
    sentence: "For 20 seconds the servers on this database tell each other nothing. All they miss is found within 1 s.",
    done: "The bus is lost.",
  },
  {
    fault: "restart",
    name: "Restart the server",
    sentence: "It closes all connections, stops and starts again. Agents go on, and deliver what they could not.",
    done: "The server starts again.",
  },
];

export function ServerFaults({ offered }: { readonly offered: readonly string[] }): ReactNode {
  const { send, pending, error } = useRequest<WeatherMethods, "weather.make">("weather.make");
  const [said, setSaid] = useState("");
  const make = ({ fault, done }: Fault): void => {
    setSaid("");
    send({ fault }).then(
      () => setSaid(done),
      () => {},
    );
  };
  return (
    <section aria-label="Faults of the server" className="flex flex-col gap-3">
      <p className="max-w-prose text-muted">
        For everybody at this server, since it runs in development mode. Each ends by itself.
      </p>
      <ul className="flex flex-col gap-3">
        {faults
          .filter(({ fault }) => offered.includes(fault))
          .map((one) => (
            <li key={one.fault} className="flex flex-col gap-1 sm:flex-row sm:items-baseline sm:gap-3">
              <Button
                className="sm:w-40"
                data-testid={`fault-${one.fault}`}
                disabled={pending}
                onClick={() => make(one)}
              >
                {one.name}
              </Button>
              <span className="max-w-prose text-sm text-muted">{one.sentence}</span>
            </li>
          ))}
      </ul>
      <p aria-live="polite" data-testid="fault-said" className="min-h-5">
        {said}
      </p>
      {error !== undefined && (
        <p role="alert" className="text-danger">
          {problemText(error)}
        </p>
      )}
    </section>
  );
}
