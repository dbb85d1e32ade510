## Forgotten login IDs and passwords

# 「ログインIDをお忘れの方」
forgot-id-mail = Find out by e-mail
forgot-id-mail-text = If you have registered, we can tell you by e-mail. Enter the address that you registered and your date of birth.
forgot-id-address = If you are a dependent or voluntarily insured, your login ID is the e-mail address that you registered.
forgot-id-send = Send e-mail

# 「パスワードをお忘れの方」
forgot-password-known-text = If you cannot remember it, enter your login ID and your date of birth. We send a link for choosing a new password to the e-mail address that you registered.
forgot-password-send = Send e-mail

forgot-email = E-mail address
forgot-email-hint = The one that you registered
forgot-birth-date = Date of birth
forgot-birth-date-hint = For example 19990121 (year, month, day)
forgot-error-limited = There were many attempts in a short time, so this is paused for a while. Please try again a little later.

# What is always said
forgot-sent-title = We have received your request
forgot-sent-lead = If what you entered matches a registration, we send an e-mail to the registered address.
forgot-sent-login-id = Please follow the e-mail to find out your login ID. Its link works for { $life }.
forgot-sent-password = Please open the link in the e-mail and choose a new password. The link works for { $life }.
forgot-sent-unknown = So that nobody else can find out who is registered, this page does not say whether it matched.
forgot-sent-none = If no e-mail arrives
forgot-sent-none-spam = Please look into your spam folder, too.
forgot-sent-none-typed = No e-mail is sent if there is a mistake in what you entered. Please try again.
forgot-sent-none-often = After several requests in a row, no more e-mails are sent for a while.
forgot-sent-again = Enter it again

# The mailed link to the login ID
reveal-title = Your login ID
reveal-lead = To make sure that it is you, please enter your date of birth.
reveal-show = Show login ID
reveal-once = It is shown only once.
reveal-error-empty = Enter your date of birth.
reveal-error-wrong = That is not the date of birth. Attempts left before this link stops working: { $left }
revealed-title = Your login ID
revealed-lead = This is your login ID.
revealed-note = Once you close this page, the same link does not show it again. Please make a note if you need one.
revealed-next = Go to the login page

# The mailed link to a new password
renew-title = Choose a new password
renew-lead = Please enter a new password.
renew-label = New password
renew-hint = At least { $min } characters of any kind. Not your date of birth or your login ID.
renew-effect = You will be signed out of all devices and apps.
renew-save = Set password
renew-error-empty = Enter a new password.
renewed-title = Your new password is set
renewed-lead = Please log in with your new password.
renewed-signed-out = All devices and apps that were signed in have been signed out.
renewed-next = Go to the login page

# A link that is dead
forgot-void-title = This link does not work
forgot-void-lead = It is no longer valid, for one of these reasons:
forgot-void-expired = Its time is over
forgot-void-used = It was already used
forgot-void-newer = A newer e-mail was sent, with a new link
forgot-void-tried = There were too many wrong attempts
forgot-void-next = Please start again.
forgot-void-again = Start again

## Mails

mail-forgot-once = The URL works only once. When a newer mail is sent, the URL before it stops working.
mail-forgot-unexpected = If you were not expecting this mail, please discard it. Your registration stays as it is.

mail-forgot-id-subject = [{ $insurer }] Your login ID (please continue within { $life })
mail-forgot-id-subject-address = [{ $insurer }] Your login ID
mail-forgot-id-intro = We have received a request about a forgotten login ID of KENPOS, the health portal of { $insurer }.
mail-forgot-id-how = Please open the following URL and enter your date of birth. Your login ID is then shown.
mail-forgot-id-button = Show my login ID
mail-forgot-id-address = Your login ID is the e-mail address that received this mail.

mail-forgot-password-subject = [{ $insurer }] Reset your password (please continue within { $life })
mail-forgot-password-intro = We have received a request about a forgotten password of KENPOS, the health portal of { $insurer }.
mail-forgot-password-how = Please open the following URL and choose a new password.
mail-forgot-password-button = Choose a new password

mail-replaced-subject = [{ $insurer }] Your password was reset
mail-replaced-intro = The password of KENPOS, the health portal of { $insurer }, was reset.
mail-replaced-signed-out = All devices and apps that were signed in have been signed out. Please log in with the new password.
mail-replaced-unexpected = If you did not do this, please contact us at once, as below.

mail-reset-subject = [{ $insurer }] Your registration was reset
mail-reset-intro = The office has reset your registration for KENPOS, the health portal of { $insurer }. This e-mail address is no longer registered, and your password no longer works.
mail-reset-next = If you want to go on using the portal, please register again.
mail-reset-unexpected = If you did not ask for this, please contact us at once, as below.

## One-time activation codes

code-label = Activation code
code-summary = I was given an activation code
code-hint = Only for your first login: the code that the office gave you. If you have registered already, leave it empty.

letter-title = Your first-time registration
letter-lead = This is what you need to register for KENPOS, the health portal. Please keep it in a safe place until you have registered.
letter-code-note = The activation code is for your own registration only. Please do not tell it to anybody. It stops working once you have registered.
letter-expires = Valid until
letter-how = How to register
letter-step-open = Open the following URL and enter your login ID.
letter-step-password = As password enter your date of birth as 8 digits (year, month, day), and as activation code the code above. If you see no field for it, open “I was given an activation code”. The date of birth alone does not work.
letter-step-follow = Follow the pages. You will choose a new password and register your e-mail address.
letter-issued = Issued on
