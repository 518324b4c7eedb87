/** Bad weather at the press of a button, each with what it does and what is to be seen then. */
import { type ReactNode, useState } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { askForWeather, type Weather } from "./askForWeather.ts";

interface Kind {
  readonly weather: Weather;
  readonly name: string;
  readonly sentence: string;
  readonly done: string;
}

const kinds: readonly Kind[] = [
  {
    weather: "cut",
    name: "Cut",
    sentence: "Ends the connection without a word, as when a cable is pulled. It is back within a second or so.",
    done: "Cut.",
  },
  {
    weather: "halfOpen",
    name: "Half-open",
    sentence:
      "Nothing gets through any more, either way, and nobody is told: as when a laptop changes its network. It is found out within 30 s.",
    done: "Half-open: what is said now is lost on the way.",
  },
  {
    weather: "slow",
    name: "Slow",
    sentence: "One second more each way, until it is fair again or the connection ends.",
    done: "Slow from now on.",
  },
  { weather: "fair", name: "Fair again", sentence: "What was held back comes, in its order.", done: "Fair again." },
];

const expiry: Kind = {
  weather: "expire",
  name: "Let my sign-in expire",
  sentence: "Its end has come for this connection. The page renews it without a reconnect.",
  done: "Expired.",
};

export function WeatherControls(): ReactNode {
  const { about } = useLive();
  const [said, setSaid] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const make = async ({ weather, done }: Kind): Promise<void> => {
    setBusy(true);
    try {
      const met = await askForWeather(weather);
      setProblem(undefined);
      setSaid(met === 0 ? "It met no connection: there is none now, or it is at another server." : done);
    } catch (error) {
      setProblem(problemText(error));
    }
    setBusy(false);
  };
  // In development mode nobody has signed in, so nothing can expire.
  const offered = about.mode === "development" ? kinds : [...kinds, expiry];
  return (
    <section aria-label="Bad weather for this browser" className="flex flex-col gap-3">
      <p className="max-w-prose text-muted">
        Real faults, on this browser’s own connection and nobody else’s. Agents go on meanwhile.
      </p>
      <ul className="flex flex-col gap-3">
        {offered.map((kind) => (
          <li key={kind.weather} className="flex flex-col gap-1 sm:flex-row sm:items-baseline sm:gap-3">
            <Button
              className="sm:w-40"
              data-testid={`weather-${kind.weather}`}
              disabled={isBusy}
              onClick={() => void make(kind)}
            >
              {kind.name}
            </Button>
            <span className="max-w-prose text-sm text-muted">{kind.sentence}</span>
          </li>
        ))}
      </ul>
      <p aria-live="polite" data-testid="weather-said" className="min-h-5">
        {said}
      </p>
      {problem !== undefined && (
        <p role="alert" className="text-danger">
          {problem}
        </p>
      )}
    </section>
  );
}
