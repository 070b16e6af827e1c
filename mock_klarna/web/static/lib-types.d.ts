/** The argument of load() and update(). */
type Options = Record<string, any>;

/** The design of a button, with its texts in the language of the page. */
interface Design {
  theme: string;
  tagline: string;
  language: string;
  label: string;
  note: string;
  not_now: string;
  close: string;
}

/** The result of load() and update(). */
interface Offer {
  show_button: boolean;
  button?: Design;
  error?: { code: string; message: string; invalid_fields: string[]; problems: object[] };
}

type Callback = ((offer: Offer) => void) | undefined;

interface Listener {
  event: string;
  handler: (payload: object) => void;
  id: string;
}

/** A button in the page: its element and the parts in it. */
interface Drawn {
  root: HTMLElement;
  button: HTMLElement;
  note: HTMLElement;
  alert: HTMLElement;
}

/** A button that load() created. */
interface Instance {
  /** Its data-instance-id, "" if there is none. */
  id: string;
  /** The page's options with all updates. */
  options: Options;
  /** How often the options have changed. */
  version: number;
  /** The changes that the session does not have; null for none. */
  changes: Options | null;
  /** Its design; null while it is not shown. */
  design: Design | null;
  /** The drawn button of each container. */
  drawn: WeakMap<Element, Drawn>;
  /** The session that the next click continues, "" for none. */
  session: string;
  /** The state of that session, as the dialog has shown it last. */
  state: string;
  /** How many parameters the callback of load() has; null without a callback. */
  parameters: number | null;
  /** Whether the session has the changes that were sent last. */
  sent: Promise<boolean>;
  /** The callbacks of load() and update() that the next check answers. */
  callbacks: Callback[];
  isChecking: boolean;
  /** Milliseconds between two checks while the dialog is open, and when the next one may start. */
  pause: number;
  free: number;
}

/** The element that a button is drawn in. */
type Container = HTMLElement;

interface Dialog {
  instance: Instance;
  container: Element | null;
  /** The element that contains the frame, in the page. */
  root: HTMLElement;
  modal: HTMLDialogElement;
  /** Closes the dialog while it is not ready. */
  button: HTMLElement;
  alert: HTMLElement;
  frame: HTMLIFrameElement;
  /** Disappears with the content of the body. */
  marker: Comment;
  /** Value and priority of the page's own `overflow`. */
  overflow: [string, string];
  /** The likely cause if the dialog is not ready in time. */
  waitsFor: string;
  timer: number;
}

interface Window {
  Klarna: any;
  klarnaAsyncCallback: any;
}
