/** How the page is entered, for the forms that ask: each resolves with what went wrong, in words, or undefined where it worked. */
export interface Doors {
  signIn(code: string): Promise<string | undefined>;
  signInBy(email: string, password: string): Promise<string | undefined>;
  sendLink(email: string, returnTo: string): Promise<string | undefined>;
}
