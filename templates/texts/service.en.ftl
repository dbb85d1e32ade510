## Texts that handlers choose

date-time = { $weekday ->
        [mon] Monday
        [tue] Tuesday
        [wed] Wednesday
        [thu] Thursday
        [fri] Friday
        [sat] Saturday
       *[sun] Sunday
    }, { $day } { $monthname ->
        [jan] January
        [feb] February
        [mar] March
        [apr] April
        [may] May
        [jun] June
        [jul] July
        [aug] August
        [sep] September
        [oct] October
        [nov] November
       *[dec] December
    } { $year }, { $hour }:{ $minute } Japan time

lifetime-minute = 1 minute
lifetime-minutes = { $minutes } minutes
lifetime-hours = { $hours } hours

error-client-missing = The service you came from made a mistake, so we cannot go on (client_id is missing). Please tell its provider.
error-client-unknown = The service you came from made a mistake, so we cannot go on (client_id is not registered). Please tell its provider.
error-request-object = The request of the service you came from cannot be verified, so we cannot go on (request). Please tell its provider.
error-request-uri = The request of the service you came from has expired or was used already, so we cannot go on (request_uri). Please go back to the service and try again.
error-redirect-uri-missing = The service you came from made a mistake, so we cannot go on (redirect_uri is missing). Please tell its provider.
error-redirect-uri-mismatch = The service you came from made a mistake, so we cannot go on (redirect_uri is not the registered one). Please tell its provider.
error-registration-title = This registration cannot go on
error-registration-ended = You may have registered already, your eligibility records may have changed, or the temporary password may no longer work. If you cannot sign in, please contact the office.
error-registration-ended-self = You may have registered already, or your eligibility records may have changed. If you cannot sign in, please contact the office.
error-registration-over = The link in the e-mail may have expired, a wrong password may have been entered too often, the registration may have been started again elsewhere, or your eligibility records may have changed. If you are not registered yet, please start again. If you are, you can simply log in.

password-error-limited = There were too many tries in a short time, so we are pausing for a moment. Please try again a little later.
password-activation-stopped = Because of a suspected misuse, first-time registration by birth date alone is stopped for the moment. If you have registered already, you can sign in as usual. If it is urgent, please ask the office for an activation code.

sent-error-spent = The mail has been sent as often as allowed. If it does not arrive, please check the address and contact the office.

topic-checkup = News about health check-ups
topic-programme = News about health programmes and events
topic-newsletter = Newsletter of the health insurance society
