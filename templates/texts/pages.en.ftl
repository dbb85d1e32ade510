## pages

# What surrounds every page
frame-title-error = Error:
frame-skip = Skip to the content
frame-contact = Contact
frame-language = Language
frame-language-ja = 日本語
frame-language-en = English

contact-phone = Phone { $phone }
contact-hours = Hours:
contact-none = Please contact the office of your health insurance society.

# Forms
form-errors = Please check what you entered
form-required = Required
form-optional = Optional
form-back = Back
form-restart = Start again
form-password-show = Show password
form-password-hide = Hide password

steps-label = Steps of your registration
steps-now = Step { $now } of { $all }
steps-past = (done)
steps-start = Start
steps-login = Log in
steps-eligibility = Eligibility
steps-documents = Agree
steps-details = Details
steps-confirm = Review
steps-mail = E-mail
steps-done = Done

# How a login ID is composed, and the first password
rule-code = Same for all
rule-symbol = Symbol ({ $digits } digits)
rule-number = Number ({ $digits } digits)
rule-padding = If yours has fewer digits, put zeros in front.
rule-example = Symbol { $symbol }, number { $number }
rule-general = Your login ID is the code of your health insurance society, a hyphen (-), your symbol (記号) and your number (番号). A symbol or number with too few digits gets zeros in front.
rule-source = You find your symbol (記号) and number (番号) on your notice of eligibility (資格情報のお知らせ), your eligibility certificate (資格確認書) or in Mynaportal.
birth-date-password = The first time you log in, your password is your date of birth as 8 digits: year, month, day.
birth-date-example = Born on 21 January 2000

# Login
login-cancel = Return to “{ $client }” without logging in
login-client = Log in to continue to “{ $client }”
login-id-title = Log in
login-id-label = Login ID
login-id-hint = Example: { $example }. Dependents and voluntarily continued members: your e-mail address
login-id-hint-general = Code of your society, a hyphen, then symbol and number. Dependents and voluntarily continued members: your e-mail address
login-id-next = Enter password
login-id-by-number = Enter symbol and number instead
login-id-forgot = Forgot your login ID?
login-id-first-time = First time here?
login-id-first-time-text = Family members (dependents) and voluntarily continued members register here. Insured members see what their login ID and first password are.
login-id-register = Go to first-time registration
login-id-error-empty = Enter your login ID.
login-id-error-format = This does not look like a login ID. Use digits and a hyphen (-).
login-id-error-digits = The symbol has { $symbol } digits and the number { $number }. If yours has fewer, put zeros in front (for example 91 → 091).

login-number-title = Enter symbol and number
login-number-lead = Enter your symbol (記号) and number (番号), and we turn them into your login ID.
login-number-insurer = Health insurance society
login-number-insurer-none = Choose one
login-number-symbol = Symbol
login-number-symbol-hint = Example: 91
login-number-number = Number
login-number-number-hint = Example: 200001
login-number-padding = Missing zeros in front are added for you.
login-number-error-insurer = Choose your health insurance society.
login-number-error-symbol = Enter the symbol in digits, { $digits } at most.
login-number-error-number = Enter the number in digits, { $digits } at most.

password-title = Enter your password
password-label = Password
password-hint-first = First time here? Use your date of birth as 8 digits (for example 20000121).
password-login = Log in
password-forgot = Forgot your password?
password-error-empty = Enter your password.
password-error-wrong = The login ID or the password is not correct.
password-error-paused = To keep it safe, this login ID is paused for a while. Please try again in about { $minutes } minutes.

select-title = Choose an account
select-signed-in = Signed in as
select-continue = Continue with this account
select-another = Log in with another ID

# First-time registration
start-title = First-time registration
start-lead = Please choose what applies to you.
start-family = Family members (dependents) and voluntarily continued members
start-family-text = We check your eligibility, and your e-mail address becomes your login ID.
start-family-ready = Have your symbol and number at hand, and an e-mail address at which you can receive mail.
start-family-go = Continue to the eligibility check
start-insured = Insured members
start-insured-text = Log in with the login ID and password below. Your registration then begins. Have an e-mail address at hand at which you can receive mail.
start-login-id = Login ID
start-password = First password
start-password-changes = During registration you replace it with a password of your own.
start-go = Go to the login page

eligibility-title = Eligibility check
eligibility-lead = Enter the details of the person who registers, as on the notice of eligibility (資格情報のお知らせ) or the like.
eligibility-insurer-number = Insurer number (保険者番号)
eligibility-insurer-number-hint = 8 digits, such as 01234565
eligibility-branch = Branch (枝番)
eligibility-branch-hint = 2 digits, such as 01. Leave it empty if you do not know it.
eligibility-birth-date = Date of birth
eligibility-birth-date-hint = Example: 1999-01-01, 19990101 or 平成11年1月1日
eligibility-agreement = What you enter is compared with the eligibility records of your health insurance society.
eligibility-next = Agree and continue to the handling of personal information and the terms
eligibility-error-symbol = Enter the symbol in digits, { $digits } at most.
eligibility-error-number = Enter the number in digits, { $digits } at most.
eligibility-error-branch = Enter the branch in digits, { $digits } at most, or leave it empty.
eligibility-error-refused = With these details we could not confirm that you are eligible to register. Please check symbol and number, name and date of birth. If you have registered already, please log in. Insured members cannot register on this page. If you are not sure, please contact the office.
eligibility-error-paused = For safety, checks with this symbol and number are paused for a while. Please try again in about { $minutes } minutes.

documents-title = Before you start
documents-lead = Please read both texts, and tick the boxes if you agree.
documents-version = Version: { $version }
documents-agree-privacy = I agree to the handling of personal information
documents-agree-terms = I agree to the terms of membership
documents-gate-closed = Scroll to the end of the text, and you can tick the box.
documents-gate-open = You have reached the end. You can tick the box now.
documents-next = Continue to your details
documents-error-privacy = Read how personal information is handled, and tick the box.
documents-error-terms = Read the terms of membership, and tick the box.
documents-error-changed = The text has changed in the meantime. Please read it again.

details-title = Your details
details-login-id-fixed = Your login ID cannot be changed.
details-kana = Name in katakana
details-kana-hint = Example: タケダ ハナコ. Hiragana and half-width kana are fine too.
details-password = New password
details-password-hint = At least { $min } characters of any kind. Not your date of birth or your login ID. You can change it later.
details-email = E-mail address
details-email-is-login-id = The e-mail address that you register here becomes your login ID. The address on your smartphone is fine.
details-email-hint = The address on your smartphone is fine.
details-topics = News by e-mail
details-topics-hint = Tick what you would like to receive.
details-next = Continue to review
details-error-kana-empty = Enter your name in katakana.
details-error-kana-format = Write your name in katakana.
details-error-kana-mismatch = We could not confirm this name. Enter the katakana name registered with your health insurance.
details-error-password-empty = Enter a new password.
details-error-password-short = Use at least { $min } characters for the password.
details-error-password-long = Use { $max } characters or fewer for the password.
details-error-password-guessable = This password is easy to guess. Make it longer, for example with several unrelated words.
details-error-password-common = Many people use this password, so it cannot be used here. Choose another one.
details-error-password-personal = A password must not contain your date of birth, your login ID or your name.
details-error-email-empty = Enter your e-mail address.
details-error-email-format = This does not look like an e-mail address. Example: hanako@example.com

strength-label = Password strength:
strength-0 = Still too short
strength-1 = Weak: easy to guess
strength-2 = Fair: make it a little longer
strength-3 = Strong enough
strength-4 = Very strong

confirm-title = Review your details
confirm-lead = This is what will be registered. If it is right, send the confirmation e-mail.
confirm-password = The one you entered (not shown)
confirm-email-is-login-id = This e-mail address becomes your login ID.
confirm-topics-none = None
confirm-mail = Open the link in the e-mail within { $life } and enter your password to complete your registration.
confirm-send = Send e-mail
confirm-error-limit = No more e-mails can be sent for now. Please try again later.

sent-title = E-mail sent
sent-incomplete = Your registration is not complete yet.
sent-what-next = Open the link in the e-mail and enter the password you have just chosen.
sent-to = Sent to
sent-deadline = Link works until
sent-deadline-note = After that ({ $life }) the link no longer works, and you would have to start your registration again.
sent-waiting = Waiting for you to complete your registration. This page then moves on by itself.
sent-completed = I have completed my registration
sent-no-mail = No e-mail?
sent-no-mail-spam = Look in your spam folder.
sent-no-mail-carrier = Check whether your mobile carrier blocks mail from unknown domains.
sent-no-mail-address = Check that the address above is right.
sent-resend = Send e-mail again
sent-resends-left = Times it can be sent again: { $left }. The link in the earlier e-mail then stops working.
sent-resends-none = The e-mail cannot be sent again. If it does not arrive, check the address and contact the office.
sent-back = Go back and correct the address
sent-notice-again = The e-mail was sent again. The earlier link no longer works; please use the new e-mail.
sent-error-not-yet = We do not see a completed registration yet. Open the link in the e-mail and enter your password.

link-title = Complete your registration
link-lead = Enter your password to complete your registration.
link-hint = The password you chose during registration, not your date of birth.
link-complete = Complete registration
link-not-you = If you did not ask for this, just close this page without entering anything.
link-error-wrong = The password is not correct. Attempts left before you would have to start again: { $left }

link-void-title = This link does not work
link-void-lead = It is no longer valid, for one of these reasons:
link-void-expired = The e-mail was sent more than { $life } ago
link-void-used = It was already used to complete a registration
link-void-newer = The e-mail was sent again, with a new link
link-void-tried = A wrong password was entered too often
link-void-next = If you are not registered yet, please start again. If you are, you can simply log in.
link-lapsed-title = Your registration could not be completed
link-lapsed-lead = While you were registering, the eligibility records of your health insurance society changed. Nothing was registered.
link-lapsed-next = If you are still eligible, please start again. If you are not sure, please contact the office.

done-title = Registration complete
done-lead = Your registration is complete.
done-here = You will be taken to the next page in a moment.
done-here-client = You will be taken to “{ $client }” in a moment.
done-continue = Continue to the service
done-elsewhere = If the page where you started is still open, it moves on by itself. You can close this page.
done-elsewhere-client = You can go back to “{ $client }”.
done-to-service = Back to the service

# Consent
consent-title = Share your information?
consent-lead = “{ $client }” asks to use the following information.
consent-claims = These details
consent-host = Your answer goes to { $host }.
consent-policy = Privacy policy of “{ $client }”
consent-terms = Terms of “{ $client }”
consent-allow = Allow and continue
consent-deny = Do not allow
scope-openid-title = That it is you
scope-openid-detail = An identifier made for this service alone, and when and how you logged in
scope-profile-title = Your name and settings
scope-profile-detail = Your registered name (katakana), nickname if you gave one, language, time zone, and when they last changed
scope-birthdate-title = Your date of birth
scope-birthdate-detail = As registered with your health insurance
scope-gender-title = Your gender
scope-gender-detail = As entered on your account page, if you did
scope-email-title = Your e-mail address
scope-email-detail = The address you registered, and whether it was confirmed
scope-membership-title = Your health insurance membership
scope-membership-detail = Name and code of your society, your category (insured, dependent or voluntarily continued), status and dates of your eligibility, and how well your identity was checked
scope-insured_number-title = Your insurer number, symbol, number and branch number
scope-insured_number-detail = To be used for health insurance services. Article 194-2 of the Health Insurance Act forbids anyone to ask for these numbers except for health insurance services and other purposes laid down by law.
scope-address-title = Your address
scope-address-detail = As entered on your account page, if you did
scope-phone-title = Your phone number
scope-phone-detail = As entered on your account page, if you did; it was not confirmed
scope-offline_access-title = Access while you are away
scope-offline_access-detail = The service can obtain the information you allow even when you are not using it
scope-other-title = A permission of the service’s own: { $name }
scope-other-detail = Ask the provider of the service what it means.
claim-name = Your name
claim-family_name = Your family name
claim-given_name = Your given name
claim-locale = The language you chose
claim-zoneinfo = Your time zone
claim-updated_at = When your details last changed
claim-birthdate = Your date of birth
claim-gender = Your gender, if you gave it
claim-nickname = Your nickname, if you gave it
claim-phone_number = Your phone number, if you gave it
claim-phone_number_verified = Whether your phone number was confirmed
claim-address = Your address, if you gave it
claim-email = Your e-mail address
claim-email_verified = Whether your e-mail address was confirmed
claim-insurer_code = Code of your health insurance society
claim-insurer_name = Name of your health insurance society
claim-member_category = Your category (insured, dependent or voluntarily continued)
claim-eligibility_status = Status of your eligibility
claim-eligible_from = First day of your eligibility
claim-eligible_until = Last day of your eligibility
claim-identity_assurance = How well your identity was checked
claim-insurer_number = Your insurer number
claim-symbol = Your symbol
claim-number = Your number
claim-branch = Your branch number

# Logout and account
logout-title = Log out?
logout-lead = You will have to log in again the next time.
logout-lead-client = “{ $client }” asks to log you out. You will have to log in again the next time.
logout-yes = Log out
logout-no = Stay logged in
logged-out-title = You are logged out
logged-out-lead = If you share this device, close all windows of the browser.
logged-out-again = Log in again
logged-out-onward = Your other apps are being told. You will be taken on in a moment.
logged-out-continue = Continue
logged-out-frame = Tells an app that you logged out
category-insured = Insured member
category-dependent = Dependent
category-voluntary = Voluntarily continued member

# Help
help-id-title = Forgot your login ID?
help-id-lead = An insured member’s login ID follows from the symbol and number.
help-id-rule = How your login ID is made
help-password-title = Forgot your password?
help-password-first = If you have not registered yet
help-password-known = If you have registered
help-password-known-text = After registration you log in with the password that you chose. Your date of birth no longer works.
help-office = Still stuck?
help-office-text = Please contact the office. If you have forgotten both your login ID and your password, they can reset your registration.
help-back = Back to the login page

# Back to the service
form-post-title = Returning to the service
form-post-lead = If nothing happens, press the button below.
form-post-lead-client = Returning to “{ $client }”. If nothing happens, press the button below.
form-post-continue = Continue to the service

# Errors
error-reference = Reference number
error-reference-note = Please give this number when you contact us.
error-400-title = This cannot go on
error-400-message = We could not accept what was sent. Please start again from the service you were using.
error-403-title = This is not possible
error-403-message = This page may have been open for too long, or you may have logged in again elsewhere. Reload the previous page and try again.
error-404-title = Page not found
error-404-message = The address may be wrong, or the page may no longer exist.
error-409-title = Already moved on
error-409-message = You have moved on in another window, so you cannot continue from this page.
error-410-title = This has expired
error-410-message = Too much time has passed, so we stopped for your safety. Please start again.
error-413-title = Too much was sent
error-413-message = Shorten what you entered and try again.
error-429-title = Please wait a moment
error-429-message = There were many attempts in a short time, so we have paused. Please try again a little later.
error-500-title = Something went wrong
error-500-message = We are sorry. Because of a problem on our side this could not go on. Please try again a little later.
error-503-title = Very busy just now
error-503-message = We are sorry. The service is not available right now. Please try again a little later.
error-request = The service you were using sent a faulty request, so this cannot go on. Please tell its provider. ({ $detail })
error-other-browser = This was started in another browser, or cookies are turned off. Allow cookies and start again.
error-name-misses = The name could not be confirmed several times, so your registration was stopped. Please contact the office.
error-not-eligible-title = Your eligibility could not be confirmed
error-not-eligible = We could not confirm that you are currently eligible to use this service. Please contact the office.
error-minimum-age = This service is for people aged { $age } and over.
