# Several insurers: choosing one, and apps that are for the members of one.

insurer-title = Choose your health insurance society
insurer-lead = Choose the society that you are insured with.
insurer-several = This e-mail address is registered with several societies. Choose the one to log in to, and enter your password again.
insurer-by-number = Find it by insurer number
insurer-by-number-text = It is printed on your notice of eligibility and certificate of eligibility, and shown in Mynaportal.
insurer-next = Continue with this number
insurer-choose = Choose your health insurance society
insurer-other = Members of another society
members-only-title = You cannot use this service
members-only-lead = This service is for members of the society below only. If you have another account, log in with that one.
members-only-client = Service
members-only-for = For members of
members-only-own = You are logged in as a member of
members-only-back = Back to the service
login-id-members-only = This service is for members of { $insurer } only. Enter a login ID of that society.
start-family-only-dependent = Only family members (dependents) can register by themselves. Voluntarily continued members, please contact the office.
start-family-only-voluntary = Only voluntarily continued members can register by themselves. Family members (dependents), please contact the office.
start-family-none = Registration is not open here. Please contact the office.
forgot-password-insurer-hint = Only if you log in with an e-mail address.
insurer-number-short = Insurer no.
