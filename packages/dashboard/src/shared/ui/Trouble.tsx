/** Keeps a part's failure to that part: a sentence in its place, and a way to try again. Never a blank page. */
import { Component, type ReactNode } from "react";
import { problemText } from "../format/problem.ts";
import { Button } from "./Button.tsx";

interface TroubleProps {
  /** What could not be done, as the beginning of a sentence. */
  readonly what: string;
  readonly children: ReactNode;
}

export class Trouble extends Component<TroubleProps, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div role="alert" className="flex flex-1 flex-col items-start gap-2 p-4">
        <p>
          {this.props.what}: {problemText(error)}
        </p>
        <Button onClick={() => this.setState({ error: undefined })}>Try again</Button>
      </div>
    );
  }
}
