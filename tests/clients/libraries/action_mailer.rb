# ActionMailer as Mastodon sets it up: delivery_method :sendmail, a Return-Path and a list's fields.
# The argument is what sendmail_settings get (JSON).
require 'json'
require 'action_mailer'

letter = JSON.parse($stdin.read)
settings = JSON.parse(ARGV[0], symbolize_names: true)
ActionMailer::Base.delivery_method = :sendmail
ActionMailer::Base.sendmail_settings = ActionMailer::Base.sendmail_settings.merge(settings)
ActionMailer::Base.raise_delivery_errors = true

# One notification, as Mastodon's ApplicationMailer has them.
class NotificationMailer < ActionMailer::Base
  default 'Precedence' => 'list', 'Auto-Submitted' => 'auto-generated'

  def notification(letter)
    mail(
      from: "#{letter['from'][0]} <#{letter['from'][1]}>",
      to: "#{letter['to'][0]} <#{letter['to'][1]}>",
      cc: letter['cc'],
      bcc: letter['bcc'],
      return_path: letter['bounce'],
      subject: letter['subject']
    ) do |format|
      format.text { render plain: letter['text'] }
      format.html { render html: letter['html'].html_safe } if letter['html']
    end
  end
end

begin
  NotificationMailer.notification(letter).deliver_now
  puts JSON.generate(sent: true, error: nil)
rescue StandardError => error
  puts JSON.generate(sent: false, error: error.message)
end
