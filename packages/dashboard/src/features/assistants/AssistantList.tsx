/** The configured assistants, live, each with its form; and a form for one more. */
import type { Assistant, ControlMethods } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import { useRequest, useStream } from "@holdfast/react";
import { type ReactNode, useState } from "react";
import { problemText } from "../../shared/format/problem.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { AssistantForm, type AssistantValues } from "./AssistantForm.tsx";
import { assistantsFromSnapshot, foldAssistants, noAssistants } from "./assistantsState.ts";

const options = { from: "latest", initial: noAssistants, snapshot: assistantsFromSnapshot } as const;
/** A form is closed, makes a new one, or changes the one of this id. */
type Open = "none" | "new" | { readonly id: string };

export function AssistantList(): ReactNode {
  const { state: assistants, status } = useStream(streams.assistants, foldAssistants, options);
  const [open, setOpen] = useState<Open>("none");
  const create = useRequest<ControlMethods, "assistant.create">("assistant.create");
  const isLoaded = status.kind === "live" || status.kind === "catchingUp";
  const add = async ({ key, ...values }: AssistantValues): Promise<void> => {
    const answer = await create.send({ ...values, ...(key === "" ? {} : { key }) }).catch(() => undefined);
    if (answer !== undefined) setOpen("none");
  };
  return (
    <>
      <p className="max-w-prose text-muted">
        An assistant answers messages by a model behind any endpoint that speaks like OpenAI&apos;s. Its key is
        encrypted for the assistants&apos; process before it is stored, and shown to nobody.
      </p>
      {isLoaded && assistants.length === 0 && (
        <p className="max-w-prose">None is configured: a script, which says so, answers in their place.</p>
      )}
      <ul className="flex max-w-3xl flex-col gap-3">
        {assistants.map((assistant) => (
          <AssistantItem
            key={assistant.id}
            assistant={assistant}
            isOpen={typeof open === "object" && open.id === assistant.id}
            onOpen={(isOpen) => setOpen(isOpen ? { id: assistant.id } : "none")}
          />
        ))}
      </ul>
      {open === "new" ? (
        <AssistantForm
          submitLabel="Add"
          pending={create.pending}
          problem={create.error}
          onSubmit={(values) => void add(values)}
          onCancel={() => setOpen("none")}
        />
      ) : (
        <Button className="self-start" data-testid="assistant-add" onClick={() => setOpen("new")}>
          Add an assistant
        </Button>
      )}
    </>
  );
}

function AssistantItem(props: {
  readonly assistant: Assistant;
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
}): ReactNode {
  const { assistant, isOpen, onOpen } = props;
  const change = useRequest<ControlMethods, "assistant.change">("assistant.change");
  const remove = useRequest<ControlMethods, "assistant.remove">("assistant.remove");
  const [isSure, setSure] = useState(false);
  const save = async ({ key, ...values }: AssistantValues): Promise<void> => {
    const changes = { assistant: assistant.id, ...values, ...(key === "" ? {} : { key }) };
    const answer = await change.send(changes).catch(() => undefined);
    if (answer !== undefined) onOpen(false);
  };
  return (
    <li data-testid="assistant" className="flex flex-col gap-2 rounded-md border border-line bg-surface p-3">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h2 className="font-semibold max-sm:flex-1">{visibleText(assistant.name)}</h2>
        <p className="min-w-0 flex-1 max-sm:order-last max-sm:basis-full text-sm [overflow-wrap:anywhere] text-muted">
          {visibleText(assistant.model)} · {visibleText(assistant.endpoint)} ·{" "}
          {assistant.hasKey ? "with a key" : "without a key"}
        </p>
        <Button aria-expanded={isOpen} onClick={() => onOpen(!isOpen)}>
          Change
        </Button>
        {/* Two presses: the first says what the second does. */}
        <Button
          disabled={remove.pending}
          onBlur={() => setSure(false)}
          onClick={() => {
            if (isSure) void remove.send({ assistant: assistant.id }).catch(() => undefined);
            else setSure(true);
          }}
        >
          {isSure ? "Remove for good" : "Remove"}
        </Button>
      </div>
      {remove.error !== undefined && (
        <p role="alert" className="text-sm text-danger">
          {problemText(remove.error)}
        </p>
      )}
      {isOpen && (
        <AssistantForm
          assistant={assistant}
          submitLabel="Save"
          pending={change.pending}
          problem={change.error}
          onSubmit={(values) => void save(values)}
          onCancel={() => onOpen(false)}
        />
      )}
    </li>
  );
}
