// A place for something wide, such as a table: where it does not fit, it is scrolled, by the keyboard, too.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";

/** @param {{label: string, children: any}} props label: what is in it, for readers who come to it by the keyboard */
export function Wide({ label, children }) {
  const box = useRef(null);
  const [overflows, setOverflows] = useState(false);
  useLayoutEffect(() => {
    const element = box.current;
    const measure = () => setOverflows(element.scrollWidth > element.clientWidth + 1);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    for (const child of element.children) observer.observe(child);
    measure();
    return () => observer.disconnect();
  }, []);
  const reached = overflows ? { tabindex: "0", role: "group", "aria-label": label } : {};
  return html`<div ref=${box} class="wide" ...${reached}>${children}</div>`;
}
