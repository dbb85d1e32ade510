## Documents that changed, login IDs that changed, registrations by somebody else

documents-new-title = Please agree to the new texts
documents-new-lead = The handling of personal information or the terms of membership have changed. To go on, please read both texts, and tick the boxes if you agree.
documents-new-next = Agree and continue
documents-new-decline = If you do not agree, please log out. You can use the service once you have agreed.
documents-new-logout = Log out without agreeing

new-login-id-title = Your login ID changes
new-login-id-email-lead = The login ID of voluntarily insured members and dependents is their e-mail address. From now on this address is your login ID. Your password stays the same.
new-login-id-number-lead = The login ID of insured members is made of symbol and number. From now on this number is your login ID. Your password stays the same.
new-login-id-label = Login ID from now on
new-login-id-until = The change is made when you press “Use the new login ID”, or log in with the new one for the first time. Until then the old one works too. Afterwards only the new one does.
new-login-id-take = Use the new login ID
new-login-id-later = Later
new-login-id-other-address = To use another address, change your e-mail address on your account page first.

not-mine-title = This registration is not mine
not-mine-lead = If you know nothing of this registration, you can stop it here. If it was you, just close this page without doing anything.
not-mine-what = What happens then
not-mine-what-registration = A registration under way becomes void, and so does the link in its e-mail.
not-mine-what-account = An account that is registered already is stopped: every login and every app ends at once.
not-mine-what-office = Nobody can register or log in until the office has checked.
not-mine-stop = Stop the registration and report it
not-mine-dead-title = This link does not work
not-mine-dead-lead = It has expired, or was used already. If you know nothing of the registration, please contact the office.
not-mine-done-title = The registration is stopped
not-mine-done-lead = A registration under way is void, and an account, if there was one, is stopped. All logins have ended.
not-mine-done-next = The office has to check before anybody can register or log in again. Please contact it.

done-sign-in = Please log in with your login ID and the password that you chose.
done-to-login = To the login page

account-grace = Your eligibility has ended. You can use the service until { $until }. Please look at the records that you need before then.
account-history-times = { $count } times (within an hour)

mail-registration-began-subject = [{ $insurer }] A first-time registration has begun
mail-registration-began-intro = Your first-time registration for KENPOS, the health portal of { $insurer }, has begun. This e-mail goes to the address that your health insurance society knows.
mail-registration-began-unexpected = If you know nothing of it, please stop the registration here.
mail-registration-ended-subject = [{ $insurer }] A first-time registration is complete (notice)
mail-registration-ended-intro = Your first-time registration for KENPOS, the health portal of { $insurer }, is complete. This e-mail goes to the address that your health insurance society knows.
mail-registration-ended-unexpected = If you know nothing of it, please stop the account here.
mail-registration-mine = If it was you, there is nothing to do.
mail-registration-not-mine = This registration is not mine

mail-unfrozen-subject = [{ $insurer }] Your account can be used again
mail-unfrozen-intro = The office has checked your account in KENPOS, the health portal of { $insurer }, and it can be used again. Please log in with your login ID and password as before.
mail-deleted-subject = [{ $insurer }] Your account is deleted
mail-deleted-intro = As you asked, your account in KENPOS, the health portal of { $insurer }, is deleted. Address, name, password, preferences and permissions of apps are erased, and nobody can log in.
mail-deleted-kept = The law has the society keep its roster of members. What you agreed to and what was done with the account is kept as the law requires and as proof.
mail-deletion-dismissed-subject = [{ $insurer }] Your request to leave
mail-deletion-dismissed-intro = The office has looked into your request to leave KENPOS, the health portal of { $insurer }, and closed it. You can go on using your account.
mail-deletion-dismissed-next = If you have questions, please contact the office below.
