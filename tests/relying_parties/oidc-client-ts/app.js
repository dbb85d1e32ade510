// A relying party on oidc-client-ts: a page alone, without a server behind it, so a public client with PKCE.
/* global oidc */
const settings = await (await fetch("/settings.json")).json(); // authority and client_id
const users = new oidc.UserManager({
  ...settings,
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/goodbye`,
  scope: "openid profile email membership offline_access",
  loadUserInfo: true, // what is known about the member is there, not in the ID token
});

/** Leaves an answer on the page for whoever looks. */
function show(id, answer) {
  const element = document.createElement("pre");
  element.id = id;
  element.textContent = JSON.stringify(answer, null, 2);
  document.body.append(element);
}

/** Does something that may go wrong, and says so on the page. */
const attempt = (action) => () => action().catch((error) => show("error", String(error)));
const on = (id, action) => document.getElementById(id).addEventListener("click", attempt(action));

on("login", () => users.signinRedirect());
on("refresh", async () => {
  const before = await users.getUser();
  const { profile, refresh_token } = await users.signinSilent(); // with the refresh token
  show("refreshed", { profile, rotated: refresh_token !== before.refresh_token });
});
on("logout", () => users.signoutRedirect({ state: "また来ます" })); // comes back with userState

const arrivals = {
  "/callback": async () => show("member", (await users.signinCallback()).profile),
  "/goodbye": async () => show("goodbye", (await users.signoutCallback()).userState),
};
await attempt(arrivals[location.pathname] ?? (async () => {}))();
show("ready", true);
