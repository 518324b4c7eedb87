/**
 * A state by shape and colour (INTERFACE.md "Look"): each has its own outline, so that it can be told apart
 * without colour; a word for it stands beside it, or is its label.
 */
import type { ReactNode } from "react";

export type MarkShape =
  | "working"
  | "idle"
  | "waiting"
  | "reconnecting"
  | "offline"
  | "queued"
  | "done"
  | "failed"
  | "stopped"
  | "unknown";

const shapes: Record<MarkShape, { readonly colour: string; readonly drawing: ReactNode }> = {
  working: { colour: "text-accent", drawing: <circle cx="6" cy="6" r="4.5" fill="currentColor" /> },
  idle: { colour: "text-accent", drawing: <circle cx="6" cy="6" r="3.75" /> },
  waiting: { colour: "text-attention", drawing: <path d="M6 1.25 11.25 10.5H.75Z" fill="currentColor" /> },
  reconnecting: {
    colour: "text-attention",
    drawing: (
      <>
        <circle cx="6" cy="6" r="3.75" />
        <path d="M6 2.25a3.75 3.75 0 0 1 0 7.5Z" fill="currentColor" />
      </>
    ),
  },
  offline: { colour: "text-quiet", drawing: <rect x="2.25" y="2.25" width="7.5" height="7.5" /> },
  queued: { colour: "text-quiet", drawing: <circle cx="6" cy="6" r="3.75" strokeDasharray="2 1.9" /> },
  done: { colour: "text-accent", drawing: <path d="m1.5 6.5 3 3 6-7" /> },
  failed: { colour: "text-danger", drawing: <path d="m2 2 8 8m0-8-8 8" /> },
  stopped: { colour: "text-quiet", drawing: <rect x="2.5" y="2.5" width="7" height="7" fill="currentColor" /> },
  unknown: {
    colour: "text-attention",
    drawing: <path d="M3.5 4a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.6M6 10.5h0" />,
  },
};

/** `label`: read out where no word stands beside it. */
export function StateMark({ shape, label }: { readonly shape: MarkShape; readonly label?: string }): ReactNode {
  const { colour, drawing } = shapes[shape];
  return (
    <span className={`shrink-0 ${colour}`}>
      {label !== undefined && <span className="sr-only">{label}</span>}
      <svg
        aria-hidden="true"
        viewBox="0 0 12 12"
        className="size-3"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinejoin="round"
        strokeLinecap="round"
      >
        {drawing}
      </svg>
    </span>
  );
}
