//! Every URL on one page.

mod frame;

use std::time::Duration;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use tokio::time;

use crate::{
    admin,
    app::App,
    oidc::{
        authorize, cors::Readers, device, discovery, introspect, jwks, logout, registration, revoke,
        session_management, token, userinfo,
    },
    pages,
    web::{assets, logos, page_error::PageError},
};

use self::frame::Frame;

/// The provider as a service.
pub fn router(app: App) -> Router {
    let guard = from_fn_with_state(app.clone(), admin::guard::check);
    let api_guard = from_fn_with_state(app.clone(), admin::api::guard::check);
    let frame = Frame::new(&app);
    let all = Router::new()
        .merge(protocol())
        .merge(hosted_pages())
        .merge(console().route_layer(guard.clone()))
        .merge(
            api()
                .route_layer(from_fn_with_state(app.clone(), admin::api::idempotency::keep))
                .route_layer(api_guard.clone()),
        )
        .merge(operations())
        .fallback(|| async { PageError::status(StatusCode::NOT_FOUND) });
    let large = uploads().route_layer(guard).merge(api_uploads().route_layer(api_guard));
    frame
        .clone()
        .around(all)
        .merge(frame.clone().read_by(Readers::Anyone).around(public()))
        .merge(frame.read_by(Readers::Clients).around(protocol_of_clients()))
        .merge(Frame::of_uploads(&app).around(large))
        .with_state(app)
}

/// What is the same for everybody.
fn public() -> Router<App> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::get))
        .route("/.well-known/oauth-authorization-server", get(discovery::get))
        .route("/jwks", get(jwks::get))
}

/// What clients that are pages call.
fn protocol_of_clients() -> Router<App> {
    Router::new()
        .route("/token", post(token::post))
        .route("/userinfo", get(userinfo::get).post(userinfo::post))
        .route("/revoke", post(revoke::post))
}

/// The rest of the protocol.
fn protocol() -> Router<App> {
    Router::new()
        .route("/introspect", post(introspect::post))
        .route("/device_authorization", post(device::post))
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/authorize/posted/{id}", get(authorize::get_posted))
        .route("/authorize/{interaction}", get(authorize::resume))
        .route("/par", post(authorize::par::post))
        .route("/register", post(registration::post))
        .route(
            "/register/{client}",
            get(registration::get).put(registration::put).delete(registration::delete),
        )
        .route("/logout", get(logout::get).post(logout::post))
        .route("/logout/posted/{id}", get(logout::get_posted))
        .route("/session/check", get(session_management::get))
}

fn hosted_pages() -> Router<App> {
    use pages::{
        account, bouncing_email, cancel, confirm, consent, details, documents, done, eligibility, insurer,
        link, login_id, login_number, logo, new_documents, new_login_id, not_mine, other_members, password,
        registration_start, select_account, sent,
    };
    Router::new()
        .route("/", get(account::get))
        .route("/login", get(login_id::enter))
        .route("/login/{interaction}", get(login_id::get).post(login_id::post))
        .route("/i/{code}", get(insurer::enter))
        .route("/i/{code}/registration", get(insurer::enter_registration))
        .route("/login/{interaction}/insurer", get(insurer::get).post(insurer::post))
        .route("/login/{interaction}/members-only", get(other_members::get).post(other_members::post))
        .route("/login/{interaction}/cancel", post(cancel::post))
        .route("/login/{interaction}/number", get(login_number::get).post(login_number::post))
        .route("/login/{interaction}/password", get(password::get).post(password::post))
        .route("/login/{interaction}/account", get(select_account::get).post(select_account::post))
        .route("/login/{interaction}/email", get(bouncing_email::get).post(bouncing_email::post))
        .route("/login/{interaction}/new-login-id", get(new_login_id::get).post(new_login_id::post))
        .route("/registration", get(registration_start::get))
        .route("/registration/eligibility", get(eligibility::enter))
        .route("/registration/{interaction}/eligibility", get(eligibility::get).post(eligibility::post))
        .route("/registration/{interaction}/documents", get(documents::get).post(documents::post))
        .route("/registration/{interaction}/details", get(details::get).post(details::post))
        .route("/registration/{interaction}/confirm", get(confirm::get).post(confirm::post))
        .route("/registration/{interaction}/sent", get(sent::get))
        .route("/registration/{interaction}/resend", post(sent::resend))
        .route("/registration/{interaction}/status", get(sent::status))
        .route("/registration/{interaction}/done", get(done::get).post(done::post))
        .route("/registration/link/{token}", get(link::get).post(link::post))
        .route("/registration/report/{token}", get(not_mine::get).post(not_mine::post))
        .route("/documents/{interaction}", get(new_documents::get).post(new_documents::post))
        .merge(recovery_pages())
        .route("/consent/{interaction}", get(consent::get).post(consent::post))
        .merge(device_pages())
        .merge(account_pages())
        .route("/assets/logo/{code}", get(logos::get))
        .route("/logo/{client}", get(logo::get))
        .route("/assets/{*path}", get(asset))
        .route("/favicon.ico", get(asset))
}

fn account_pages() -> Router<App> {
    use pages::account::{
        apps, change_password, deletion, email, email_link, history, more, overview, password, preferences,
        profile, report, reported, sessions,
    };
    Router::new()
        .route("/.well-known/change-password", get(change_password))
        .route("/account", get(overview::get))
        .route("/account/profile", get(profile::get).post(profile::post))
        .route("/account/profile/more", get(more::get).post(more::post))
        .route("/account/password", get(password::get).post(password::post))
        .route("/account/email", get(email::get).post(email::post))
        .route("/account/email/link/{token}", get(email_link::get).post(email_link::post))
        .route("/account/preferences", get(preferences::get).post(preferences::post))
        .route("/account/sessions", get(sessions::get).post(sessions::post))
        .route("/account/sessions/others", post(sessions::end_others))
        .route("/account/apps", get(apps::get).post(apps::post))
        .route("/account/history", get(history::get))
        .route("/account/report", get(report::get).post(report::post))
        .route("/account/report/done", get(reported::get))
        .route("/account/deletion", get(deletion::get).post(deletion::post))
        .route("/account/deletion/withdraw", post(deletion::withdraw))
}

fn device_pages() -> Router<App> {
    use pages::device::{code, confirm, outcome};
    Router::new()
        .route("/device", get(code::get).post(code::post))
        .route("/device/allowed", get(outcome::allowed))
        .route("/device/denied", get(outcome::denied))
        .route("/device/{id}", get(confirm::get).post(confirm::post))
}

fn recovery_pages() -> Router<App> {
    use pages::recovery::{login_id, password, renew, reveal, sent};
    Router::new()
        .route("/recovery/login-id", get(login_id::get).post(login_id::post))
        .route("/recovery/login-id/sent", get(sent::login_id))
        .route("/recovery/login-id/link/{token}", get(reveal::get).post(reveal::post))
        .route("/recovery/password", get(password::get).post(password::post))
        .route("/recovery/password/sent", get(sent::password))
        .route("/recovery/password/link/{token}", get(renew::get).post(renew::post))
        .route("/recovery/password/done", get(renew::done))
}

/// The operators' console. Who may do what at each of these is said in `src/admin/access.rs`; a URL that is
/// missing there answers nobody.
fn console() -> Router<App> {
    use admin::{
        account, audit, audit_export, audit_verified, dashboard, deletion_requests, member, member_act,
        member_app, member_email, member_issue, members, operator, operator_act, operator_new, operator_role,
        operators, own_codes, own_factor, own_password, roster, roster_act, roster_import, roster_refused,
        setup, sign_in,
    };
    desk()
        .route("/admin", get(dashboard::get))
        .route("/admin/sign-in", get(sign_in::get).post(sign_in::post))
        .route("/admin/sign-out", post(sign_in::sign_out))
        .route("/admin/setup/{token}", get(setup::get).post(setup::post))
        .route("/admin/account", get(account::get))
        .route("/admin/account/password", get(own_password::get).post(own_password::post))
        .route("/admin/account/factor", get(own_factor::get).post(own_factor::post))
        .route("/admin/account/recovery-codes", get(own_codes::get).post(own_codes::post))
        .route("/admin/account/sessions", post(account::end))
        .route("/admin/account/sessions/others", post(account::end_others))
        .route("/admin/audit", get(audit::get))
        .route("/admin/audit/export", post(audit_export::post))
        .route("/admin/audit/verify", post(audit_verified::post))
        .route("/admin/members", get(members::get).post(members::post))
        .route("/admin/members/deletion-requests", get(deletion_requests::get))
        .route("/admin/members/{member}", get(member::get))
        .route("/admin/members/{member}/email", get(member_email::get).post(member_email::post))
        .route("/admin/members/{member}/registration/{act}", get(member_issue::get).post(member_issue::post))
        .route("/admin/members/{member}/apps/{client}", get(member_app::get).post(member_app::post))
        .route("/admin/members/{member}/{act}", get(member_act::get).post(member_act::post))
        .route("/admin/roster", get(roster::get))
        .route("/admin/roster/{import}", get(roster_import::get))
        .route("/admin/roster/{import}/status", get(roster_import::status))
        .route("/admin/roster/{import}/refused", post(roster_refused::post))
        .route("/admin/roster/{import}/{act}", get(roster_act::get).post(roster_act::post))
        .merge(clients_of_the_console())
        .route("/admin/operators", get(operators::get))
        .route("/admin/operators/new", get(operator_new::get).post(operator_new::post))
        .route("/admin/operators/{operator}", get(operator::get))
        .route("/admin/operators/{operator}/role", get(operator_role::get).post(operator_role::post))
        .route("/admin/operators/{operator}/{act}", get(operator_act::get).post(operator_act::post))
}

/// What takes large files, with limits of its own.
fn uploads() -> Router<App> {
    use admin::roster_new;
    Router::new().route("/admin/roster/new", get(roster_new::get).post(roster_new::post))
}

/// The same in the API, whose handler counts the bytes itself.
fn api_uploads() -> Router<App> {
    use admin::api::roster_upload;
    Router::new().route("/admin/api/v1/roster/imports/{import}", put(roster_upload::put))
}

fn clients_of_the_console() -> Router<App> {
    use admin::clients::{act, detail, edit, list, new, secret, settings, trial};
    Router::new()
        .route("/admin/clients", get(list::get))
        .route("/admin/clients/new", get(new::get).post(new::post))
        .route("/admin/clients/{client}", get(detail::get))
        .route("/admin/clients/{client}/edit/{topic}", get(edit::get).post(edit::post))
        .route("/admin/clients/{client}/secret", get(secret::get).post(secret::post))
        .route("/admin/clients/{client}/settings", get(settings::get))
        .route("/admin/clients/{client}/try", get(trial::get).post(trial::post))
        .route("/admin/clients/{client}/try/callback", get(trial::callback))
        .route("/admin/clients/{client}/{act}", get(act::get).post(act::post))
}

/// Documents, queues, webhooks and keys, in the console.
fn desk() -> Router<App> {
    use admin::{bounces, documents, keys, queue, queue_act as act, webhook_act, webhook_form, webhooks};
    Router::new()
        .route("/admin/documents", get(documents::get))
        .route("/admin/documents/{insurer}/{kind}/{version}", get(documents::show))
        .route("/admin/mails", get(queue::mails))
        .route("/admin/mails/{mail}/{act}", get(act::get_mail).post(act::post_mail))
        .route("/admin/bounces", get(bounces::get))
        .route("/admin/bounces/{bounce}/clear", get(bounces::ask_clear).post(bounces::clear))
        .route("/admin/deliveries", get(queue::deliveries))
        .route("/admin/deliveries/{delivery}/{act}", get(act::get_delivery).post(act::post_delivery))
        .route("/admin/webhooks", get(webhooks::get))
        .route("/admin/webhooks/new", get(webhook_form::get_new).post(webhook_form::post_new))
        .route("/admin/webhooks/{webhook}", get(webhooks::show))
        .route("/admin/webhooks/{webhook}/edit", get(webhook_form::get_edit).post(webhook_form::post_edit))
        .route("/admin/webhooks/{webhook}/{act}", get(webhook_act::get).post(webhook_act::post))
        .route("/admin/keys", get(keys::get))
        .route("/admin/keys/rotate", get(keys::ask_rotate).post(keys::rotate))
        .route("/admin/keys/{kid}/retire", get(keys::ask_retire).post(keys::retire))
}

/// The operators' API. What each operation asks for is said in `src/admin/api/access.rs`; one that is missing
/// there answers nobody.
fn api() -> Router<App> {
    use admin::api::{
        audit, audit_export, client_acts, clients, document, insurers, member_acts, members, numbers,
        operators, own, problem,
    };
    desk_api()
        .route("/admin/api/v1/openapi.json", get(document::get))
        .route("/admin/api/v1/problems/{code}", get(problem::describe))
        .route("/admin/api/v1/self", get(own::get))
        .route("/admin/api/v1/insurers", get(insurers::list))
        .route("/admin/api/v1/numbers", get(numbers::get))
        .route("/admin/api/v1/audit/search", post(audit::search))
        .route("/admin/api/v1/audit/export", post(audit_export::export))
        .route("/admin/api/v1/audit/verify", post(audit::verify))
        .route("/admin/api/v1/clients", get(clients::list).post(clients::register))
        .route("/admin/api/v1/clients/{client}", get(clients::get).patch(clients::change))
        .route("/admin/api/v1/clients/{client}/secret", post(client_acts::rotate_secret))
        .route("/admin/api/v1/clients/{client}/end-old-secrets", post(client_acts::end_old_secrets))
        .route("/admin/api/v1/clients/{client}/disable", post(client_acts::disable))
        .route("/admin/api/v1/clients/{client}/enable", post(client_acts::enable))
        .route("/admin/api/v1/clients/{client}/delete", post(client_acts::delete))
        .route("/admin/api/v1/members/search", post(members::search))
        .route("/admin/api/v1/members/{member}", get(members::get))
        .route("/admin/api/v1/members/{member}/timeline", get(members::timeline))
        .route("/admin/api/v1/deletion-requests", get(members::deletion_requests))
        .route("/admin/api/v1/members/{member}/reset", post(member_acts::reset))
        .route("/admin/api/v1/members/{member}/reissue", post(member_acts::reissue))
        .route("/admin/api/v1/members/{member}/unlock", post(member_acts::unlock))
        .route("/admin/api/v1/members/{member}/end-sessions", post(member_acts::end_sessions))
        .route("/admin/api/v1/members/{member}/freeze", post(member_acts::freeze))
        .route("/admin/api/v1/members/{member}/unfreeze", post(member_acts::unfreeze))
        .route("/admin/api/v1/members/{member}/delete", post(member_acts::delete))
        .route("/admin/api/v1/members/{member}/dismiss-deletion", post(member_acts::dismiss_deletion))
        .route("/admin/api/v1/members/{member}/correct-email", post(member_acts::correct_email))
        .route("/admin/api/v1/members/{member}/show-email", post(member_acts::show_email))
        .route("/admin/api/v1/members/{member}/withdraw-app", post(member_acts::withdraw_app))
        .route("/admin/api/v1/members/{member}/export", post(member_acts::export))
        .route("/admin/api/v1/operators", get(operators::list).post(operators::invite))
        .route("/admin/api/v1/operators/{operator}", get(operators::get))
        .route("/admin/api/v1/operators/{operator}/role", put(operators::role))
        .route("/admin/api/v1/operators/{operator}/disable", post(operators::disable))
        .route("/admin/api/v1/operators/{operator}/enable", post(operators::enable))
        .route("/admin/api/v1/operators/{operator}/reset", post(operators::reset))
}

/// Documents, queues, webhooks, keys and the roster, in the API.
fn desk_api() -> Router<App> {
    use admin::api::{bounces, documents, keys, queues, roster, roster_acts, webhooks};
    Router::new()
        .route("/admin/api/v1/roster/imports", get(roster::list))
        .route("/admin/api/v1/roster/imports/{import}", get(roster::get))
        .route("/admin/api/v1/roster/imports/{import}/refused-rows", get(roster::refused))
        .route("/admin/api/v1/roster/imports/{import}/apply", post(roster_acts::apply))
        .route("/admin/api/v1/roster/imports/{import}/discard", post(roster_acts::discard))
        .route("/admin/api/v1/roster/imports/{import}/undo", get(roster::would_undo).post(roster_acts::undo))
        .route("/admin/api/v1/documents", get(documents::list))
        .route("/admin/api/v1/mails", get(queues::mails))
        .route("/admin/api/v1/mails/{mail}/retry", post(queues::retry_mail))
        .route("/admin/api/v1/mails/{mail}/give-up", post(queues::give_up_mail))
        .route("/admin/api/v1/mails/{mail}/bounce", post(bounces::mark))
        .route("/admin/api/v1/bounces", get(bounces::list))
        .route("/admin/api/v1/bounces/{bounce}/clear", post(bounces::clear))
        .route("/admin/api/v1/deliveries", get(queues::deliveries))
        .route("/admin/api/v1/deliveries/{delivery}/retry", post(queues::retry_delivery))
        .route("/admin/api/v1/deliveries/{delivery}/give-up", post(queues::give_up_delivery))
        .route("/admin/api/v1/keys", get(keys::list))
        .route("/admin/api/v1/keys/rotate", post(keys::rotate))
        .route("/admin/api/v1/keys/{kid}/retire", post(keys::retire))
        .route("/admin/api/v1/webhooks", get(webhooks::list).post(webhooks::add))
        .route("/admin/api/v1/webhooks/{webhook}", get(webhooks::get).put(webhooks::change))
        .route("/admin/api/v1/webhooks/{webhook}/rotate-secret", post(webhooks::rotate_secret))
        .route("/admin/api/v1/webhooks/{webhook}/disable", post(webhooks::disable))
        .route("/admin/api/v1/webhooks/{webhook}/enable", post(webhooks::enable))
        .route("/admin/api/v1/webhooks/{webhook}/test", post(webhooks::test))
}

fn operations() -> Router<App> {
    // Whether the process is alive, and whether it can serve: a load balancer asks for the second.
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready))
}

/// Longest wait of `/readyz` for a service: a balancer must not take the silence of a frozen one for that of the node.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);

async fn ready(State(app): State<App>) -> Response {
    let (db, ephemeral) = tokio::join!(
        time::timeout(SIGN_OF_LIFE, app.members.db.ping()),
        time::timeout(SIGN_OF_LIFE, app.members.ephemeral.ping()),
    );
    let (db, ephemeral) = (matches!(db, Ok(Ok(()))), matches!(ephemeral, Ok(Ok(()))));
    let state = |up: bool| if up { "up" } else { "down" };
    let up = db && ephemeral && !app.is_leaving();
    let body = serde_json::json!({
        "ready": up,
        "leaving": app.is_leaving(),
        "database": state(db),
        "ephemeral": state(ephemeral),
    });
    let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(body)).into_response()
}

async fn asset(request: Request) -> Response {
    let Some(asset) = assets::find(request.uri().path()) else {
        return PageError::status(StatusCode::NOT_FOUND).into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, asset.cache_control)];
    (headers, asset.bytes.into_owned()).into_response()
}
