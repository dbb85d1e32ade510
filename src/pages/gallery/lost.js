// What of a page is lost at this width: whatever reaches beyond the window, does not fit its box, is cut off, or
// lies on top of another control. Gives a list of sentences.
const root = document.documentElement;
const lost = [];
const name = (element) => {
  const own = element.id ? "#" + element.id : element.className ? "." + element.className : "";
  return element.localName + own + " in " + (element.parentElement?.id || element.parentElement?.className || "");
};
if (root.scrollWidth > root.clientWidth) {
  lost.push("the page needs scrolling sideways: " + root.scrollWidth + " in " + root.clientWidth);
}
for (const element of document.body.querySelectorAll("*")) {
  // What only screen readers see has a box of one pixel, as the heads of tables whose cells name themselves where
  // the window is narrow; inside of a drawing nothing is laid out.
  const head = element.closest(".table:not(.small) thead");
  const heard = head && getComputedStyle(head).clipPath !== "none" && head.clientWidth === 1;
  if (heard || element.closest(".unseen, .skip:not(:focus), .steps li, svg") || !element.checkVisibility()) {
    continue;
  }
  const box = element.getBoundingClientRect();
  if (box.left < -0.5 || box.right > root.clientWidth + 0.5) {
    lost.push(name(element) + " reaches beyond the window");
  }
  // A line of text to type in scrolls by itself, as everywhere.
  if (element.localName === "input" || element.clientWidth === 0) {
    continue;
  }
  const style = getComputedStyle(element);
  if (element.scrollWidth > element.clientWidth + 1) {
    lost.push(name(element) + " is wider than its box: " + element.scrollWidth + " in " + element.clientWidth);
  }
  const cut = ["hidden", "clip"].includes(style.overflowY) || element.localName === "button";
  if (cut && element.scrollHeight > element.clientHeight + 1) {
    lost.push(name(element) + " is cut off below: " + element.scrollHeight + " in " + element.clientHeight);
  }
}
const controls = [...document.querySelectorAll("a, button, input, select")].filter(
  (control) => control.checkVisibility() && !control.closest(".skip:not(:focus)") && !control.matches(".reveal"),
);
controls.forEach((one, at) => controls.slice(at + 1).forEach((other) => {
  if (one.contains(other) || other.contains(one)) {
    return;
  }
  // Wrapped links have a box a line.
  const meets = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  if ([...one.getClientRects()].some((a) => [...other.getClientRects()].some((b) => meets(a, b)))) {
    lost.push(name(one) + " lies on " + name(other));
  }
}));
return lost;
