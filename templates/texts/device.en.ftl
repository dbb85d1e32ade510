## Connecting a device (RFC 8628)

device-title = Connect a device
device-lead = Enter the 9 digits that your device, such as a TV or an app, is showing.
device-warning = Never enter digits that somebody told you by phone, e-mail or text message. Your information could go to someone else.
device-code-label = Digits on the device
device-code-hint = For example: 123-456-789
device-next = Check
device-error-code = The digits are not right, or they have expired. Please look at the device again.
device-confirm-title = Allow this device?
device-confirm-lead = “{ $client }” on a device asks to use the following information.
device-confirm-compare = Does your device show these very digits?
device-confirm-warning = If no device in front of you shows the same digits, choose “Do not allow”. Somebody may be trying to get at your information.
device-allow = Allow and connect
device-allowed-title = The device is allowed
device-allowed-lead = Please return to the device. It will go on in a moment.
device-denied-title = Not allowed
device-denied-lead = The device was given nothing. You may close this page.
device-apps = See the apps that you allowed
error-device-ended = This connection is over: it was decided, it expired, or the digits were entered in another window. Please enter the digits again.
error-device-insurer = The service of this device is for members of another health insurance society, so it cannot be connected.
