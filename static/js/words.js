// Says a sentence in the page's language. The page carries its scripts' sentences in a block of data; the English
// sentence is the key, and the fallback for a missing translation.

const PLAIN = 200;
const blocks = ["frame-words", "page-words"].map((id) => document.getElementById(id)?.textContent ?? "{}");
const found = Object.assign({}, ...blocks.map((text) => JSON.parse(text)));

function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

export function tell(sentence, values = {}) {
  return filled(found[sentence] ?? sentence, values);
}

// A sentence with a {count}: `one` and `many` are the English ones, of which other languages may have up to six.
export function tellCount(one, many, count) {
  const told = found[many];
  const english = count === 1 ? one : many;
  return filled(told ? told.forms[told.of[count < PLAIN ? count : 100 + (count % 100)]] : english, { count });
}
