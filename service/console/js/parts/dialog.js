// A modal dialog that is shown for as long as whoever draws it says so.
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";

/**
 * The focus goes back to where it was when the dialog is closed, or is not drawn any more.
 * @param {{isOpen: boolean, onClose: () => void, name: string, title: string, children: () => object}} props
 *   onClose: is told when the reader closes it (Escape). name: its class, and the beginning of its ids.
 *   children: draws what is in it, and is called only while it is open.
 */
export function Dialog({ isOpen, onClose, name, title, children }) {
  const dialog = useRef(null);
  const isHeld = useRef(false); // open, as far as we know
  // Not an effect, which waits for a frame: the event of an earlier closing may come before it.
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const element = dialog.current;
    element.showModal();
    isHeld.current = true;
    return () => {
      isHeld.current = false;
      element.close();
    };
  }, [isOpen]);
  // The event comes later than the closing: of ours when it is of no use, or the dialog is open again.
  const heed = ({ currentTarget }) => isHeld.current && !currentTarget.open && onClose();
  return html`<dialog ref=${dialog} class=${name} aria-labelledby=${`${name}-title`} onClose=${heed}>
    <h2 id=${`${name}-title`}>${title}</h2>
    ${isOpen && children()}
  </dialog>`;
}
