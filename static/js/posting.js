// Sends JSON as the person the page was made for. Keeps nothing in the browser's storage.

function csrfToken(form) {
  // Logging in again in another tab renews the cookie; the page's own field is then out of date.
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : form.elements.csrfmiddlewaretoken.value;
}

// Returns [status, answer]; status 0 means that no answer came.
export async function post(url, body, form, keepalive = false) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": csrfToken(form),
        "X-Page-Person": form.dataset.person,
      },
      body: JSON.stringify(body),
      keepalive,
    });
    return [response.status, await response.json().catch(() => ({}))];
  } catch {
    return [0, {}];
  }
}
