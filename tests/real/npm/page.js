// A single page application built on oidc-client-ts. The test calls what is in `application`, and reads `heard`.

const here = location.origin;
const settings = new URLSearchParams(location.search);
if (settings.has("authority")) {
  sessionStorage.setItem("authority", settings.get("authority"));
}

const users = new oidc.UserManager({
  authority: sessionStorage.getItem("authority"),
  client_id: "page",
  redirect_uri: `${here}/`,
  silent_redirect_uri: `${here}/silent.html`,
  post_logout_redirect_uri: `${here}/`,
  scope: "openid profile email",
  loadUserInfo: true,
  monitorSession: true,
  checkSessionIntervalInSeconds: 1,
  automaticSilentRenew: false,
  silentRequestTimeoutInSeconds: 10,
  userStore: new oidc.WebStorageStateStore({ store: sessionStorage }),
});

const heard = [];
users.events.addUserSignedOut(() => heard.push("signed out"));
users.events.addUserSignedIn(() => heard.push("signed in"));
users.events.addUserSessionChanged(() => heard.push("session changed"));
users.events.addSilentRenewError((error) => heard.push(`renewal failed: ${error.message}`));

const application = {
  signIn: () => users.signinRedirect(),
  finish: () => users.signinRedirectCallback(),
  renew: () => users.signinSilent(),
  user: () => users.getUser(),
  signOut: () => users.signoutRedirect(),
};

// Has one of them done; the test gets the result, or the error as the library told it.
function call(name, done) {
  application[name]().then(
    (result) => done({ result: result ? JSON.parse(JSON.stringify(result)) : null }),
    (error) => done({ error: error.error ?? error.message }),
  );
}
