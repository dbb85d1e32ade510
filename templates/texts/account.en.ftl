## The member's own account

account-title = Account
account-name = Name (katakana)
account-category = Membership
account-insurer = Health insurance society
account-unset = Not registered
account-logout = Log out
account-back = Back to your account
account-current-password = Current password
account-current-password-hint = To make sure that it is you.
account-password-error-current = The current password is wrong.
account-notice-password = Your password has been changed. You have been logged out on all other devices and in all apps.
account-notice-deletion = Your request to leave has been taken back.

account-part-profile = About you
account-part-security = Login and security
account-part-apps = Apps and news
account-part-help = If something is wrong
account-link-profile = What is registered, and language
account-link-password = Change password
account-link-email = Change e-mail address
account-link-sessions = Where you are logged in
account-link-history = Login history
account-link-apps = Apps with access
account-link-preferences = News you receive
account-link-report = Something is not mine
account-link-deletion = Ask to leave

account-profile-title = What is registered
account-profile-office = If your name, membership or eligibility is wrong, please contact the office.
account-date = { $date }
account-valid-from = Eligible from
account-valid-until = Eligible until
account-valid-open = No end set
account-verified = Confirmed
account-language = Language of mails and pages
account-language-ja = 日本語
account-language-en = English
account-language-save = Save language
account-notice-language = The language of mails and pages has been changed.

account-password-title = Change password
account-password-lead = You will be logged out on all other devices and in all apps. You can go on here.
account-password-new = New password
account-password-new-hint = { $min } characters or more, of any kind. Your birth date and login ID cannot be used.
account-password-save = Change password
account-password-error-new-empty = Enter a new password.
account-password-error-same = This is your current password. Choose a different one.

account-email-title = Change e-mail address
account-email-lead = We send a mail to the new address. Open the URL in it and enter your password to complete the change.
account-email-now = Current e-mail address
account-email-new = New e-mail address
account-email-login-id = Your e-mail address is your login ID. After the change you log in with the new address.
account-email-send = Send the mail
account-email-pending = We have sent a mail to { $email }. Open the URL in it by { $deadline } to complete the change. Until then your address stays as it is.
account-email-again = If you send it again, the URL of the mail before no longer works.
account-email-error-same = This is your current e-mail address.
account-email-error-spent = Too many mails have been sent. Please try again in about 24 hours.

account-email-link-title = Complete the change of address
account-email-link-lead = Enter your current password to complete the change of your e-mail address.
account-email-link-complete = Complete the change
account-email-link-not-you = If you were not expecting this, close this page without entering anything. Nothing will change.
account-email-done-title = Your e-mail address has been changed
account-email-done-lead = Your new e-mail address is { $email }. We have also told your old address.
account-email-done-login-id = From now on the new address is your login ID.
account-email-void-title = This URL does not work
account-email-void-lead = It has expired, has been used, or was replaced by a newer one. If the change is not complete, please start again from “Change e-mail address” in your account.
account-email-to-account = Open your account

account-preferences-title = News you receive
account-preferences-lead = Tick what you would like to receive. Untick it and we stop sending it.
account-preferences-save = Save
account-notice-preferences = Your choice has been saved.

account-sessions-title = Where you are logged in
account-sessions-lead = If you see a device that is not yours, log it out and change your password.
account-sessions-present = This device
account-sessions-device = { $browser } on { $system }
account-sessions-unknown = Unknown device
account-sessions-signed-in = Logged in: { $at }
account-sessions-seen = Last used: { $at }
account-sessions-end = Log out this device
account-sessions-others = Log out all other devices
account-sessions-others-text = Logs you out everywhere but here. Apps cannot be used either until you log in again.
account-notice-session-ended = The device has been logged out.
account-notice-signed-out-elsewhere = You have been logged out on all other devices and in all apps.

account-apps-title = Apps with access
account-apps-lead = If you take access away, the app can no longer receive your data, at once.
account-apps-none = No app has access.
account-apps-since = Allowed: { $at }
account-apps-withdraw = Take access away from “{ $client }”
account-notice-withdrawn = Access has been taken away.

account-history-title = Login history
account-history-lead = Logins and security matters of the last 90 days. If something here was not you, tell us under “Something is not mine”.
account-history-none = There is nothing to show.
account-history-older = Older entries
account-history-newest = Back to the latest
account-history-app = App: { $client }
account-event-signed_in = Logged in
account-event-sign_in_failed = Login failed
account-event-signed_out = Logged out
account-event-activated = Registration completed
account-event-password_wrong = The current password was entered wrongly
account-event-password_changed = Password changed
account-event-email_changed = E-mail address changed
account-event-session_ended = A device was logged out
account-event-signed_out_elsewhere = All other devices were logged out
account-event-consent_withdrawn = Access was taken away from an app
account-event-reported = Reported: something is not mine
account-event-documents_accepted = You agreed to new documents
account-event-login_id_changed = You took the new login ID
account-event-password_replaced = Password replaced through “Forgot your password?”
account-event-login_id_shown = Login ID shown through “Forgot your login ID?”

account-report-title = Something is not mine
account-report-lead = If there is a registration or a login that was not you, you can stop your account.
account-report-what = If you stop it
account-report-what-sessions = All logins, this one too, and all use by apps end at once.
account-report-what-sign-in = While it is stopped nobody can log in.
account-report-what-office = The office looks into it and tells you how to go on.
account-report-lighter = If it is only that somebody may know your password, changing it is enough.
account-report-send = Stop my account and tell the office
account-reported-title = Your account is stopped
account-reported-lead = All logins have ended. Nobody can log in to this account.
account-reported-next = The office has to check before it can be used again. Please contact the office below.

account-deletion-title = Ask to leave
account-deletion-lead = This asks the office to delete your account. It is not deleted at once: the office looks into it and lets you know.
account-deletion-keep = Your health insurance is not changed by this. Records that the law has us keep are kept until their time is over.
account-deletion-send = Ask to leave
account-deletion-with-office = Your request is with the office ({ $at }). Please wait to hear from it. Until then everything works as before.
account-deletion-withdraw = Take the request back

## Mails about the account

mail-account-unexpected = If this was not you, please contact us at once, as below. If you can log in, you can stop your account on your account page under “Something is not mine”.
mail-email-subject = [{ $insurer }] Confirm your new e-mail address (please complete it within { $life })
mail-email-intro = A change to this e-mail address was asked for in KENPOS, the health portal of { $insurer }. It is not complete yet.
mail-email-how = Please open the following URL and enter your current password, to complete the change.
mail-email-button = Complete the change
mail-email-unexpected = If you were not expecting this mail, please discard it. Nothing changes unless the password is entered.
mail-email-correction-subject = [{ $insurer }] Please confirm your e-mail address (within { $life })
mail-email-correction-intro = The office of { $insurer } has been asked to change the e-mail address of your account at the health portal KENPOS to this one. The change is not complete yet.
mail-email-correcting-subject = [{ $insurer }] Your e-mail address is about to be changed
mail-email-correcting-intro = The office of { $insurer } has been asked to change the e-mail address of your account at the health portal KENPOS, and has sent a mail to the new address. The change is complete only when it is confirmed there.
mail-frozen-office-intro = The office of { $insurer } has stopped your account at the health portal KENPOS. You have been logged out everywhere.
mail-email-in-use-subject = [{ $insurer }] About the e-mail address that was entered
mail-email-in-use-intro = This e-mail address was entered as a new address in KENPOS, the health portal of { $insurer }. It belongs to another account, so nothing is changed.
mail-email-in-use-own = If it was you, please use a different e-mail address.
mail-email-in-use-unexpected = If it was not you, please discard this mail. Your own registration is unchanged.
mail-email-changed-subject = [{ $insurer }] Your e-mail address has been changed
mail-email-changed-intro = The e-mail address of your account in KENPOS, the health portal of { $insurer }, has been changed. From now on we write to the new address.
mail-password-changed-subject = [{ $insurer }] Your password has been changed
mail-password-changed-intro = The password of your account in KENPOS, the health portal of { $insurer }, has been changed. All other devices and apps have been logged out.
mail-frozen-subject = [{ $insurer }] Your account is stopped
mail-frozen-intro = We received your report that something is not yours, and stopped your account in KENPOS, the health portal of { $insurer }. All logins have ended.
mail-frozen-next = The office below has to check before the account can be used again. Please contact it.
mail-deletion-subject = [{ $insurer }] We received your request to leave
mail-deletion-intro = We received your request to leave KENPOS, the health portal of { $insurer }. The office looks into it and lets you know. You can take the request back on your account page.
mail-office-facts =
    Member (KENPOS internal): { $member }
    Received: { $at }
mail-office-report-subject = [KENPOS] To do: a member reports misuse
mail-office-report-intro = A member reported a registration or login that was not theirs, and the account was stopped.
mail-office-report-next = Please look at the member's history, contact the member, and then reset the registration or let the account be used again.
mail-office-deletion-subject = [KENPOS] A member asks to leave
mail-office-deletion-intro = A member asked for the account to be deleted. Nothing is deleted automatically.
mail-office-deletion-next = Please look into it and let the member know.

account-more-title = Optional details
account-more-link = Nickname, gender, phone and address (optional)
account-more-lead = Everything here is optional. It goes only to the apps that you allow, and is not used for your health insurance.
account-more-nickname = Nickname
account-more-gender = Gender
account-more-gender-none = Do not say
account-more-gender-female = Female
account-more-gender-male = Male
account-more-gender-other = Other
account-more-phone = Phone number
account-more-phone-hint = For example: 03-1234-5678
account-more-postal-code = Postal code
account-more-region = Prefecture
account-more-locality = City or ward
account-more-street = Street and building
account-more-save = Save
account-more-error-line = This is too long or has characters that cannot be used.
account-more-error-gender = Please choose one of the options.
account-more-error-phone = Please enter the phone number with its area code, for example 03-1234-5678.
account-more-error-postal-code = A postal code has 7 digits.
account-notice-more = What you entered has been saved.
