/** What a page gives load() and update(). */
type Options = Record<string, any>;

/** How a button is drawn: the server's words, in the language of the page. */
interface Look {
  theme: string;
  tagline: string;
  language: string;
  label: string;
  note: string;
  not_now: string;
}

/** The answer to load() and update(). */
interface Offer {
  show_button: boolean;
  button?: Look;
  error?: object;
}

type Callback = ((offer: Offer) => void) | undefined;

interface Listener {
  event: string;
  handler: (payload: object) => void;
  id: string;
}

/** A button in the page: its host element and what is in it. */
interface Drawn {
  host: HTMLElement;
  button: HTMLElement;
  note: HTMLElement;
  alert: HTMLElement;
}

/** One button as load() made it. */
interface Instance {
  /** Its data-instance-id, "" where the page names none. */
  id: string;
  /** The page's options with every update. */
  options: Options;
  /** How it is drawn; null while it is not offered. */
  look: Look | null;
  /** What was drawn in which container. */
  drawn: WeakMap<Element, Drawn>;
  /** A session that a click may go on with, "" for none. */
  session: string;
  /** load() and update() take effect in the order in which they were called. */
  queue: Promise<void>;
}

interface Dialog {
  instance: Instance;
  drawn: Drawn;
  container: Element | null;
  frame: HTMLIFrameElement;
  overflow: string;
}

interface Window {
  Klarna: any;
  klarnaAsyncCallback: any;
}
