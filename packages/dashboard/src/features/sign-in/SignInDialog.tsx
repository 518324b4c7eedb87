/** Signing in again over a page whose session has ended: what is behind it stays as it was. */
import { Dialog } from "radix-ui";
import type { ReactNode } from "react";
import type { SignInWays } from "../../shared/http/signIn.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { CloseIcon } from "../../shared/ui/icons.tsx";
import type { Doors } from "./doors.ts";
import { SignInDoors } from "./SignInDoors.tsx";

export function SignInDialog(props: {
  readonly open: boolean;
  readonly ways: SignInWays;
  readonly onOpenChange: (open: boolean) => void;
  readonly doors: Doors;
}): ReactNode {
  const closing = async (entering: Promise<string | undefined>): Promise<string | undefined> => {
    const problem = await entering;
    if (problem === undefined) props.onOpenChange(false);
    return problem;
  };
  const doors: Doors = {
    signIn: (code) => closing(props.doors.signIn(code)),
    signInBy: (email, password) => closing(props.doors.signInBy(email, password)),
    sendLink: (email, returnTo) => props.doors.sendLink(email, returnTo),
  };
  return (
    <Dialog.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-text/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-1/2 left-1/2 z-50 w-[min(24rem,calc(100vw-1rem))] -translate-x-1/2 -translate-y-1/2 rounded-lg border border-line-strong bg-raised p-6 shadow-lg"
        >
          <div className="mb-4 flex items-center justify-between">
            <Dialog.Title className="text-lg font-semibold">Sign in again</Dialog.Title>
            <Dialog.Close asChild>
              <Button tone="quiet" aria-label="Close">
                <CloseIcon />
              </Button>
            </Dialog.Close>
          </div>
          <SignInDoors ways={props.ways} doors={doors} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
